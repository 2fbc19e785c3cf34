// Go's crypto/tls as a reqmtls peer, by peers/README.md.
//
// Without a flag both ends are the unmodified library. The server's decision on the flag is code of this folder in
// front of the library's public API: a net.Conn that keeps the ClientHello that it passes on, and GetConfigForClient.
// A client sends the extension where the library has been patched (patched.go).
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Version of the peer contract.
const contract = 2

// The most octets of a line.
const longestLine = 4 << 20

// How long a held peer waits for whoever holds it, and a connection for its first line.
const patience = 10 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDRESS:PORT` to listen on")
	held := flag.Bool("held", false, "exit with the connection that asks hold")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, "go peer:", err)
		os.Exit(1)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		os.Exit(0)
	}()
	peer := &peer{jobs: map[string]*job{}, hold: make(chan struct{})}
	if *held {
		time.AfterFunc(patience, func() {
			select {
			case <-peer.hold:
			default:
				os.Exit(0)
			}
		})
		peer.exits = true
	}
	fmt.Printf("{\"reqmtls\":%d,\"listening\":%q}\n", contract, listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "go peer:", err)
			os.Exit(1)
		}
		go peer.serve(connection.(*net.TCPConn))
	}
}

// serve reads the first line of a connection and does what it asks for.
func (p *peer) serve(connection *net.TCPConn) {
	defer connection.Close()
	// One octet at a time behind the line would be TLS: the reader stays with the connection.
	reader := bufio.NewReader(connection)
	connection.SetReadDeadline(time.Now().Add(patience))
	var open struct {
		Open       string  `json:"open"`
		Version    int     `json:"reqmtls"`
		Job        *string `json:"job"`
		Connection *uint32 `json:"connection"`
	}
	out := json.NewEncoder(connection)
	refuse := func(format string, arguments ...any) { out.Encode(failure(format, arguments...)) }
	line, err := readLine(reader)
	if err != nil {
		refuse("%v", err)
		return
	}
	if line == nil {
		return
	}
	connection.SetReadDeadline(time.Time{})
	if err := strictly(line, &open); err != nil {
		refuse("%v", err)
		return
	}
	if open.Version != contract {
		refuse("got version %d of the contract, expected %d", open.Version, contract)
		return
	}
	switch {
	case open.Open == "control" && open.Job == nil && open.Connection == nil:
		p.control(reader, out)
	case open.Open == "tls" && open.Job != nil && open.Connection != nil:
		job, report, err := p.open(*open.Job, *open.Connection)
		if err != nil {
			refuse("%v", err)
			return
		}
		defer job.done()
		if out.Encode(map[string]string{"reply": "open"}) != nil {
			return
		}
		connection.SetDeadline(time.Now().Add(job.deadline))
		job.run(*open.Connection, &tap{TCPConn: connection, reader: reader}, report)
	default:
		refuse("got %q, expected control, or tls with job and connection", open.Open)
	}
}
