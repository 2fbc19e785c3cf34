package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const request = "who am i?\n"

// The most octets of an answer.
const longestAnswer = 4096

func client(setup *setup) (func(uint32, *tap, *report), error) {
	config, anchors, err := setup.config()
	if err != nil {
		return nil, err
	}
	config.ServerName = *setup.Name
	config.RootCAs = anchors
	// Without a cache the library asks for no tickets.
	config.ClientSessionCache = &sessions{tls.NewLRUClientSessionCache(1), setup.Resume != nil}
	if len(config.Certificates) > 0 {
		// By itself the library presents nothing that certificate_authorities does not lead to; servers are to be
		// seen with what they do not trust, too.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &config.Certificates[0], nil
		}
	}
	return func(connection uint32, stream *tap, report *report) {
		own := config.Clone()
		flags := setup.TLSFlags
		if connection > 0 && setup.Resume != nil {
			flags = setup.Resume.TLSFlags
		}
		report.Sent = clientFlags(own, setup, flags)
		own.KeyLogWriter = keyLog{report}
		defer stream.finish()
		if err := ask(tls.Client(stream, own), report); err != nil {
			report.fail(err)
		}
	}, nil
}

// sessions keeps what servers give, and offers it again where the job resumes.
type sessions struct {
	tls.ClientSessionCache
	resumes bool
}

func (s *sessions) Get(key string) (*tls.ClientSessionState, bool) {
	if !s.resumes {
		return nil, false
	}
	return s.ClientSessionCache.Get(key)
}

// errClosed is how a server refuses that sends no error alert.
var errClosed = errors.New("got close_notify, expected the server's answer")

func ask(connection *tls.Conn, report *report) error {
	if err := connection.Handshake(); err != nil {
		return err
	}
	report.established(connection)
	if _, err := io.WriteString(connection, request); err != nil {
		return err
	}
	reader := bufio.NewReader(io.LimitReader(connection, longestAnswer))
	line, err := reader.ReadBytes('\n')
	if closed := errors.Is(err, io.EOF) && len(line) == 0; err != nil && !closed {
		return err
	}
	if err := connection.CloseWrite(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, connection); err != nil {
		return err
	}
	if len(line) == 0 {
		return errClosed
	}
	report.Answer = new(answer)
	if err := json.Unmarshal(line, report.Answer); err != nil {
		return fmt.Errorf("%w: got %q, expected the server's answer: %v", errData, line, err)
	}
	report.Outcome = "completed"
	return nil
}
