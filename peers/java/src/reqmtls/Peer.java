package reqmtls;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** The contract: control connections with their jobs, and connections of jobs. */
final class Peer {
    static final int CONTRACT = 2;

    private static final int LONGEST_LINE = 4 << 20;
    /** How long a held peer waits for whoever holds it, and a connection for its first line. */
    private static final long PATIENCE = 10_000;
    /** A thread each; a container has 256. */
    private static final int MOST_CONNECTIONS = 200;
    private static final long MOST_NUMBER = 0xffff_ffffL;

    private final Library library;
    private final boolean exits;
    private final Map<String, Job> jobs = new HashMap<>();
    private final Semaphore free = new Semaphore(MOST_CONNECTIONS);
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    private final AtomicBoolean held = new AtomicBoolean();

    /** One end of one cell. */
    private static final class Job {
        final Setup setup;
        final Library.End end;
        final SortedMap<Long, Report> reports = new TreeMap<>();
        int open;

        Job(Setup setup, Library.End end) {
            this.setup = setup;
            this.end = end;
        }
    }

    Peer(Library library, boolean exits) {
        this.library = library;
        this.exits = exits;
        timer.setRemoveOnCancelPolicy(true);
    }

    void serve(ServerSocket listener) throws IOException {
        if (exits) {
            timer.schedule(() -> {
                if (!held.get()) {
                    System.exit(0);
                }
            }, PATIENCE, TimeUnit.MILLISECONDS);
        }
        while (true) {
            free.acquireUninterruptibly();
            Socket socket = listener.accept();
            Thread thread = new Thread(() -> {
                try (socket) {
                    serve(socket);
                } catch (IOException e) {
                    // The other end is gone: there is nobody to answer.
                } finally {
                    free.release();
                }
            });
            try {
                thread.start();
            } catch (OutOfMemoryError e) {
                // That is what it says where no thread can be had.
                socket.close();
                free.release();
            }
        }
    }

    private void serve(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        Future<?> silence = closeAfter(socket, PATIENCE);
        try {
            String line = Lines.read(in, LONGEST_LINE);
            silence.cancel(false);
            if (line == null) {
                return;
            }
            Fields open = Fields.read(line).only("open", "reqmtls", "job", "connection");
            Long version = open.number("reqmtls", MOST_NUMBER);
            if (version == null || version != CONTRACT) {
                throw new Wrong("got version " + version + " of the contract, expected " + CONTRACT);
            }
            String kind = open.text("open");
            String id = open.text("job");
            Long number = open.number("connection", MOST_NUMBER);
            if ("control".equals(kind) && id == null && number == null) {
                control(in, out);
            } else if ("tls".equals(kind) && id != null && number != null) {
                connection(socket, in, id, number);
            } else {
                throw new Wrong("got another first line, expected control, or tls with job and connection");
            }
        } catch (Wrong e) {
            Lines.write(out, failure(e));
        }
    }

    private Future<?> closeAfter(Socket socket, long milliseconds) {
        return timer.schedule(() -> {
            socket.close();
            return null;
        }, milliseconds, TimeUnit.MILLISECONDS);
    }

    /** Answers asks until the connection ends; its jobs end with it. */
    private void control(InputStream in, OutputStream out) throws IOException, Wrong {
        List<String> own = new ArrayList<>();
        boolean holds = false;
        try {
            for (String line = Lines.read(in, LONGEST_LINE); line != null; line = Lines.read(in, LONGEST_LINE)) {
                String reply;
                try {
                    Fields ask = Fields.read(line);
                    String kind = ask.text("ask");
                    switch (kind == null ? "" : kind) {
                        case "describe" -> {
                            ask.only("ask");
                            reply = describe();
                        }
                        case "hold" -> {
                            ask.only("ask");
                            // The first connection that asks holds the peer, and no other: who could ask too could end it.
                            holds |= held.compareAndSet(false, true);
                            if (!holds) {
                                throw new Wrong("got hold, which another connection has asked before");
                            }
                            reply = "{\"reply\":\"held\"}";
                        }
                        case "prepare" -> {
                            own.add(prepare(ask.only("ask", "job").object("job")));
                            reply = "{\"reply\":\"prepared\"}";
                        }
                        case "report" -> reply = report(ask.only("ask", "job").text("job"));
                        default -> throw new Wrong("got ask " + kind + ", expected describe, prepare, report or hold");
                    }
                } catch (Unsupported e) {
                    JsonObject object = new JsonObject();
                    object.addProperty("reply", "unsupported");
                    object.addProperty("capability", e.getMessage());
                    reply = object.toString();
                } catch (Wrong e) {
                    reply = failure(e);
                }
                Lines.write(out, reply);
            }
        } finally {
            synchronized (this) {
                own.forEach(jobs::remove);
            }
            if (holds && exits) {
                System.exit(0);
            }
        }
    }

    private static String failure(Exception exception) {
        JsonObject object = new JsonObject();
        object.addProperty("reply", "error");
        object.addProperty("message", exception.getMessage());
        return object.toString();
    }

    private String describe() {
        JsonObject capabilities = new JsonObject();
        new TreeMap<>(library.capabilities()).forEach(capabilities::addProperty);
        JsonObject object = new JsonObject();
        object.addProperty("reply", "description");
        object.addProperty("reqmtls", CONTRACT);
        object.addProperty("name", library.name());
        object.addProperty("library", library.version());
        object.add("capabilities", capabilities);
        return object.toString();
    }

    private String prepare(Fields job) throws Wrong, Unsupported {
        if (job == null) {
            throw new Wrong("expected a job to prepare");
        }
        String id = job.only("id", "side", "setup").text("id");
        String side = job.text("side");
        Fields fields = job.object("setup");
        if (id == null || fields == null || !("client".equals(side) || "server".equals(side))) {
            throw new Wrong("got a job that lacks something, expected id, a side of client or server, and setup");
        }
        Setup setup = new Setup(side, fields, library.capabilities());
        Job made = new Job(setup, library.end(setup));
        synchronized (this) {
            if (jobs.putIfAbsent(id, made) != null) {
                throw new Wrong("got job " + id + " a second time, expected a new id");
            }
        }
        return id;
    }

    private String report(String id) throws Wrong {
        synchronized (this) {
            Job job = jobs.remove(id);
            if (job == null) {
                throw new Wrong("got unknown job " + id);
            }
            try {
                while (job.open > 0) {
                    wait();
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            JsonArray reports = new JsonArray();
            job.reports.values().forEach(it -> reports.add(it.toJson()));
            JsonObject object = new JsonObject();
            object.addProperty("reply", "report");
            object.add("connections", reports);
            return object.toString();
        }
    }

    private void connection(Socket socket, InputStream in, String id, long number) throws IOException, Wrong {
        Job job;
        Report report = new Report();
        synchronized (this) {
            job = jobs.get(id);
            if (job == null) {
                throw new Wrong("got unknown job " + id);
            }
            if (job.reports.putIfAbsent(number, report) != null) {
                throw new Wrong("got connection " + number + " a second time");
            }
            job.open++;
        }
        Future<?> deadline = closeAfter(socket, job.setup.deadline);
        try {
            Lines.write(socket.getOutputStream(), "{\"reply\":\"open\"}");
            Tap tap = new Tap(socket, in);
            Exchange.run(job.setup.client, tap, it -> job.end.open(it, number, report), report);
            tap.finish();
        } finally {
            deadline.cancel(false);
            synchronized (this) {
                job.open--;
                notifyAll();
            }
        }
    }
}
