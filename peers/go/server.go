package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

func server(setup *setup) (func(uint32, *tap, *report), error) {
	config, anchors, err := setup.config()
	if err != nil {
		return nil, err
	}
	config.ClientCAs = anchors
	// One key for each decision; by itself the library makes one for the configuration.
	var keys [2][32]byte
	for at := range keys {
		rand.Read(keys[at][:])
	}
	if setup.Sessions == "separate" {
		config.SetSessionTicketKeys(keys[:1])
	}
	// One configuration for all connections of the job: the library keeps its ticket keys there.
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return hello.Conn.(*tap).configure(), nil
	}
	if serverFlags != nil {
		serverFlags(config, setup)
	}
	tls13 := len(setup.Versions) == 0 || slices.Contains(setup.Versions, "tls1.3")
	onFlag := strings.HasSuffix(setup.Policy, "-on-flag")
	return func(_ uint32, stream *tap, report *report) {
		asks := !onFlag && setup.Policy != "" && setup.Policy != "never"
		set := false
		var before []byte
		if setup.Flag != nil {
			stream.inspect = func(number int, hello *hello) (err error) {
				data, sent := hello.extensions[setup.extension()]
				if sent {
					received := octets(data)
					report.Received = &received
				}
				if !tls13 || !hello.offersTLS13() {
					return nil
				}
				if serverFlags != nil {
					// What is malformed is the library's to refuse.
					set, _ = flagIsSet(data, *setup.Flag)
					return nil
				}
				// RFC 9846 section 4.2.2: HelloRetryRequest is no occasion for other flags.
				if number > 0 && !bytes.Equal(before, data) {
					return errRefused
				}
				before = data
				if !sent {
					return nil
				}
				set, err = flagIsSet(data, *setup.Flag)
				return err
			}
		}
		stream.configure = func() *tls.Config {
			chosen := config.Clone()
			chosen.KeyLogWriter = keyLog{report}
			if setup.Revision == editorsCopy {
				acknowledge(chosen, setup, set)
			}
			if !asks && !(onFlag && set) {
				return chosen
			}
			if asks || serverFlags == nil {
				chosen.ClientAuth = tls.VerifyClientCertIfGiven
				if strings.HasPrefix(setup.Policy, "require") {
					chosen.ClientAuth = tls.RequireAndVerifyClientCert
				}
			}
			if setup.Sessions == "separate" {
				chosen.SetSessionTicketKeys(keys[1:])
			}
			return chosen
		}
		defer stream.finish()
		if err := respond(tls.Server(stream, config), report); err != nil {
			report.fail(err)
		}
	}, nil
}

func respond(connection *tls.Conn, report *report) error {
	if err := connection.Handshake(); err != nil {
		return err
	}
	report.established(connection)
	got := make([]byte, len(request))
	if _, err := io.ReadFull(connection, got); err != nil {
		return err
	}
	if string(got) != request {
		return fmt.Errorf("%w: got %q, expected the request", errData, got)
	}
	line, err := json.Marshal(answer{report.Certificate, report.Received})
	if err != nil {
		return err
	}
	if _, err := connection.Write(append(line, '\n')); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, connection); err != nil {
		return err
	}
	if err := connection.CloseWrite(); err != nil {
		return err
	}
	report.Outcome = "completed"
	return nil
}
