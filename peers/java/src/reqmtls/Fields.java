package reqmtls;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/** One JSON object: what is wanted of it, by key. A key that is absent, or null, gives null. */
final class Fields {
    private static final TypeAdapter<JsonElement> STRICT = new Gson().getAdapter(JsonElement.class);

    private final JsonObject object;

    private Fields(JsonElement element, String what) throws Wrong {
        if (!element.isJsonObject()) {
            throw new Wrong("got no object, expected " + what);
        }
        object = element.getAsJsonObject();
    }

    /** Reads one object and nothing behind it. */
    static Fields read(String line) throws Wrong {
        JsonReader reader = new JsonReader(new StringReader(line));
        try {
            JsonElement element = STRICT.read(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new Wrong("got more behind the object, expected one");
            }
            return new Fields(element, "an object of the contract");
        } catch (IOException | JsonParseException | IllegalStateException | NumberFormatException e) {
            throw new Wrong("got no JSON, expected an object of the contract: " + e.getMessage());
        }
    }

    Set<String> keys() {
        return object.keySet();
    }

    /** Every key has to be one of these. */
    Fields only(String... keys) throws Wrong {
        for (String key : keys()) {
            if (!List.of(keys).contains(key)) {
                throw new Wrong("got the unknown key " + key + ", expected " + String.join(", ", keys));
            }
        }
        return this;
    }

    JsonObject toJson() {
        return object;
    }

    boolean has(String key) {
        return object.has(key) && !object.get(key).isJsonNull();
    }

    Fields object(String key) throws Wrong {
        return has(key) ? new Fields(object.get(key), "an object as " + key) : null;
    }

    String text(String key) throws Wrong {
        return has(key) ? text(key, object.get(key)) : null;
    }

    private static String text(String key, JsonElement element) throws Wrong {
        if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isString()) {
            throw new Wrong("got " + key + " of another kind, expected a string");
        }
        return element.getAsString();
    }

    List<String> texts(String key) throws Wrong {
        List<String> all = new ArrayList<>();
        for (JsonElement element : list(key)) {
            all.add(text(key, element));
        }
        return all;
    }

    /** The elements of a list; none if it is absent. */
    List<JsonElement> list(String key) throws Wrong {
        if (!has(key)) {
            return List.of();
        }
        if (!object.get(key).isJsonArray()) {
            throw new Wrong("got " + key + " of another kind, expected a list");
        }
        return object.get(key).getAsJsonArray().asList();
    }

    Long number(String key, long most) throws Wrong {
        if (!has(key)) {
            return null;
        }
        JsonElement element = object.get(key);
        try {
            if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()) {
                long number = new BigDecimal(element.getAsString()).longValueExact();
                if (number >= 0 && number <= most) {
                    return number;
                }
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // Below.
        }
        throw new Wrong("got " + key + " that is no number of 0 to " + most);
    }

    boolean flag(String key) throws Wrong {
        if (!has(key)) {
            return false;
        }
        JsonElement element = object.get(key);
        if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isBoolean()) {
            throw new Wrong("got " + key + " of another kind, expected true or false");
        }
        return element.getAsBoolean();
    }

    byte[] octets(String key) throws Wrong {
        if (!has(key)) {
            return null;
        }
        try {
            return HexFormat.of().parseHex(text(key));
        } catch (IllegalArgumentException e) {
            throw new Wrong("got " + key + " that is no hexadecimal text");
        }
    }
}
