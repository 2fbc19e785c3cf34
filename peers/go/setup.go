package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
)

var versions = map[string]uint16{"tls1.2": tls.VersionTLS12, "tls1.3": tls.VersionTLS13}

var groups = map[string]tls.CurveID{
	"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384,
	"x25519mlkem768": tls.X25519MLKEM768,
}

// What the library does by itself, and what is decided here, in front of it.
var (
	byLibrary = []string{
		"client", "server", "version.tls1.2", "version.tls1.3",
		"group.x25519", "group.secp256r1", "group.secp384r1", "group.x25519mlkem768",
		"server.policy.never", "server.policy.request", "server.policy.require",
		"client.resumption", "server.sessions.shared", "server.sessions.separate",
	}
	byGlue = []string{
		"server.flag", "server.extension",
		"server.policy.request-on-flag", "server.policy.require-on-flag",
	}
)

var knownKeys = map[string]bool{}

func init() {
	for _, key := range strings.Fields(`versions groups cipher_suites identity trust_anchors server_name policy
		tls_flags flag extension revision resumption sessions early_data post_handshake_auth edits
		bad_certificate_verify deadline_ms`) {
		knownKeys[key] = true
	}
}

func describe() any {
	capabilities := map[string]string{}
	for _, name := range byLibrary {
		capabilities[name] = "library"
	}
	for _, name := range byGlue {
		capabilities[name] = "glue"
	}
	return map[string]any{
		"reply": "description", "reqmtls": contract, "name": "go",
		"library": "Go " + strings.TrimPrefix(runtime.Version(), "go") + " crypto/tls", "capabilities": capabilities,
	}
}

// check names the first capability that the setup needs and this peer lacks.
func (s *setup) check(side string) error {
	var needs []string
	need := func(condition bool, name string) {
		if condition {
			needs = append(needs, name)
		}
	}
	need(true, side)
	for _, version := range s.Versions {
		need(true, "version."+version)
	}
	for _, group := range s.Groups {
		need(true, "group."+group)
	}
	for _, suite := range s.Suites {
		need(true, "cipher."+suite)
	}
	need(s.Policy != "", "server.policy."+s.Policy)
	need(s.TLSFlags != nil, "client.tls-flags")
	need(s.Flag != nil, side+".flag")
	need(s.Extension != nil && *s.Extension != extensionTLSFlags, side+".extension")
	need(s.Revision != "" && s.Revision != "draft-02", side+".revision."+s.Revision)
	need(s.Resume != nil, "client.resumption")
	need(s.Resume != nil && s.Resume.TLSFlags != nil, "client.tls-flags")
	need(s.Resume != nil && s.Resume.Early, "client.early-data")
	need(s.Sessions != "", "server.sessions."+s.Sessions)
	need(s.Early, "server.early-data")
	need(s.PostHandshake, "client.post-handshake-auth")
	need(len(s.Edits) > 0, side+".edits")
	need(s.BadSignature, side+".bad-certificate-verify")
	can := func(name string) bool {
		for _, have := range append(byLibrary, byGlue...) {
			if have == name {
				return true
			}
		}
		return false
	}
	for _, name := range needs {
		if !can(name) {
			return errUnsupported(name)
		}
	}
	onFlag := strings.HasSuffix(s.Policy, "-on-flag")
	switch {
	case side == "client" && s.Name == nil:
		return errors.New("expected a server_name for a client")
	case side == "server" && s.Identity == nil:
		return errors.New("expected an identity for a server")
	case s.Flag != nil && *s.Flag > 2039:
		return fmt.Errorf("got flag %d, expected at most 2039", *s.Flag)
	case onFlag && s.Flag == nil:
		return fmt.Errorf("expected a flag for policy %s", s.Policy)
	case side == "server" && s.Policy != "" && s.Policy != "never" && s.Anchors == nil:
		return fmt.Errorf("expected trust_anchors for policy %s", s.Policy)
	}
	return nil
}

// config is what client and server have in common.
func (s *setup) config() (*tls.Config, *x509.CertPool, error) {
	config := &tls.Config{}
	for _, name := range s.Versions {
		version := versions[name]
		if config.MinVersion == 0 || version < config.MinVersion {
			config.MinVersion = version
		}
		config.MaxVersion = max(config.MaxVersion, version)
	}
	for _, name := range s.Groups {
		config.CurvePreferences = append(config.CurvePreferences, groups[name])
	}
	if s.Identity != nil {
		pair, err := tls.X509KeyPair([]byte(s.Identity.Certificates), []byte(s.Identity.Key))
		if err != nil {
			return nil, nil, fmt.Errorf("got an identity that does not load: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	pool := x509.NewCertPool()
	if s.Anchors != nil && !pool.AppendCertsFromPEM([]byte(*s.Anchors)) {
		return nil, nil, errors.New("got trust_anchors without a certificate, expected PEM")
	}
	return config, pool, nil
}

// keyLog gathers the lines of one connection.
type keyLog struct{ report *report }

func (k keyLog) Write(line []byte) (int, error) {
	k.report.KeyLog = append(k.report.KeyLog, strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

// established fills in what a connection shows after its handshake.
func (r *report) established(connection *tls.Conn) {
	state := connection.ConnectionState()
	r.Resumed = &state.DidResume
	if len(state.VerifiedChains) > 0 {
		digest := sha256.Sum256(state.PeerCertificates[0].Raw)
		certificate := octets(digest[:])
		r.Certificate = &certificate
	}
}

// fail notes what ended a connection: the transport and the other end's data are no decision of TLS.
func (r *report) fail(err error) {
	r.Error = err.Error()
	var transport interface{ Timeout() bool }
	broken := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errData) ||
		errors.As(err, &transport) && (transport.Timeout() || !strings.Contains(err.Error(), "tls: "))
	if !broken {
		r.Outcome = "refused"
	}
}

// errData is what the other end's application data is, if it is not what the contract asks for.
var errData = errors.New("unexpected application data")

// finish sends the end of the stream, and reads to the other end's before the socket closes.
func (t *tap) finish() {
	t.CloseWrite()
	io.Copy(io.Discard, t.reader)
}
