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
}

const editorsCopy = "editors-copy"

// name of this peer, which the build sets.
var name = "go"

// provenances is what this peer can do, and whose behaviour it then shows: what every library here does by itself,
// and what is decided in front of it. Files that need more of a library change it.
var provenances = map[string]string{
	"client": "library", "server": "library", "version.tls1.2": "library", "version.tls1.3": "library",
	"group.x25519": "library", "group.secp256r1": "library", "group.secp384r1": "library",
	"keys.rsa": "library", "keys.ed25519": "library",
	"server.policy.never": "library", "server.policy.request": "library", "server.policy.require": "library",
	"client.resumption": "library", "server.sessions.shared": "library", "server.sessions.separate": "library",
	"server.flag": "glue", "server.extension": "glue",
	"server.policy.request-on-flag": "glue", "server.policy.require-on-flag": "glue",
}

func provide(provenance string, capabilities ...string) {
	for _, capability := range capabilities {
		provenances[capability] = provenance
	}
}

// What a library does with the extension, where it has it by itself or by a patch.
var (
	// limit refuses what the library cannot do of what the capabilities promise.
	limit = func(_ *setup, _ string) error { return nil }
	// clientFlags has a client send these flags, or none, and returns what it will send.
	clientFlags = func(_ *tls.Config, _ *setup, _ *octets) *octets { return nil }
	// serverFlags has the library decide on the flag; nil where this program does.
	serverFlags func(*tls.Config, *setup)
	// acknowledge has a server send the flag in CertificateRequest, if the client set it: the editor's copy.
	acknowledge = func(_ *tls.Config, _ *setup, _ bool) {}
)

var knownKeys = map[string]bool{}

func init() {
	for _, key := range strings.Fields(`versions groups cipher_suites keys identity trust_anchors server_name policy
		tls_flags flag extension revision resumption sessions early_data post_handshake_auth edits
		bad_certificate_verify deadline_ms`) {
		knownKeys[key] = true
	}
}

func describe() any {
	return map[string]any{
		"reply": "description", "reqmtls": contract, "name": name,
		"library": "Go " + strings.TrimPrefix(runtime.Version(), "go") + " crypto/tls", "capabilities": provenances,
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
	need(s.Keys != "", "keys."+s.Keys)
	need(s.Policy != "", "server.policy."+s.Policy)
	need(s.TLSFlags != nil, "client.tls-flags")
	need(s.Flag != nil, side+".flag")
	need(s.extension() != extensionTLSFlags, side+".extension")
	need(s.Revision != "" && s.Revision != "draft-02", side+".revision."+s.Revision)
	need(s.Resume != nil, "client.resumption")
	need(s.Resume != nil && s.Resume.TLSFlags != nil, "client.tls-flags")
	need(s.Resume != nil && s.Resume.Early, "client.early-data")
	need(s.Sessions != "", "server.sessions."+s.Sessions)
	need(s.Early, "server.early-data")
	need(s.PostHandshake, "client.post-handshake-auth")
	need(len(s.Edits) > 0, side+".edits")
	need(s.BadSignature, side+".bad-certificate-verify")
	for _, name := range needs {
		if provenances[name] == "" {
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
	return limit(s, side)
}

// extension is the number of tls_flags.
func (s *setup) extension() uint16 {
	if s.Extension != nil {
		return *s.Extension
	}
	return extensionTLSFlags
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
	// Where certificates are asked for, none passes without verification.
	if len(state.PeerCertificates) > 0 {
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
