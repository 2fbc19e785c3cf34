import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import javax.net.ssl.HttpsURLConnection;

/** One GET: CLASS URL; what it trusts and who it is stands in the properties of javax.net.ssl. */
public class Get {
    public static void main(String[] arguments) {
        try {
            String url = arguments[1];
            System.out.println(arguments[0].equals("HttpClient") ? byClient(url) : byConnection(url));
        } catch (Exception error) {
            System.err.println("error: " + error);
            System.exit(1);
        }
    }

    private static String byClient(String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static String byConnection(String url) throws Exception {
        HttpsURLConnection connection = (HttpsURLConnection) new URL(url).openConnection();
        return new String(connection.getInputStream().readAllBytes());
    }
}
