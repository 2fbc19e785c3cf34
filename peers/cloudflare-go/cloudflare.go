package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// The library's own number of the extension; it knows no other.
const deployedExtension = 0xfe01

// Cloudflare's crypto/tls has the flags in its Config, and its server asks by itself whoever sets the request flag.
func init() {
	provide("library", "client.tls-flags", "client.flag", "client.extension", "server.flag", "server.extension")
	provide("glue", "server.sessions.separate")
	limit = limits
	clientFlags = func(config *tls.Config, _ *setup, flags *octets) *octets {
		// The library sends them with an offer of TLS 1.3 alone.
		if flags == nil || config.MaxVersion == tls.VersionTLS12 {
			return nil
		}
		config.TLSFlagsSupported = flagsOf(*flags)
		return flags
	}
	serverFlags = func(config *tls.Config, setup *setup) {
		if !strings.HasSuffix(setup.Policy, "-on-flag") {
			return
		}
		config.TLSFlagsSupported = []tls.TLSFlag{tls.FlagSupportMTLS}
		// The library verifies for those policies alone by which it asks everyone.
		config.VerifyPeerCertificate = func(chain [][]byte, _ [][]*x509.Certificate) error {
			if len(chain) == 0 && setup.Policy == "require-on-flag" {
				return errors.New("got no certificate of a client that set the flag, expected one")
			}
			return verify(chain, config.ClientCAs)
		}
	}
}

// limits refuses numbers that the library does not have, and flags that its Config cannot express.
func limits(s *setup, side string) error {
	values := []*octets{s.TLSFlags}
	if s.Resume != nil {
		values = append(values, s.Resume.TLSFlags)
	}
	for _, value := range values {
		if value == nil {
			continue
		}
		if s.extension() != deployedExtension {
			return errUnsupported(fmt.Sprintf("%s.extension.%d", side, s.extension()))
		}
		if _, err := flagIsSet(*value, 0); err != nil {
			return fmt.Errorf("got tls_flags %x, expected what the library can be made to send", []byte(*value))
		}
	}
	switch {
	case s.Flag == nil:
		return nil
	case s.extension() != deployedExtension:
		return errUnsupported(fmt.Sprintf("%s.extension.%d", side, s.extension()))
	case *s.Flag != uint16(tls.FlagSupportMTLS):
		return fmt.Errorf("got flag %d, expected %d, the library's own", *s.Flag, tls.FlagSupportMTLS)
	}
	return nil
}

// flagsOf reads well-formed extension_data.
func flagsOf(data []byte) (flags []tls.TLSFlag) {
	for flag := 0; flag < 8*(len(data)-1); flag++ {
		if data[1+flag/8]>>(flag%8)&1 == 1 {
			flags = append(flags, tls.TLSFlag(flag))
		}
	}
	return flags
}

// verify is what the library does with a client's chain where it verifies.
func verify(chain [][]byte, anchors *x509.CertPool) error {
	var certificates []*x509.Certificate
	for _, der := range chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 {
		return nil
	}
	options := x509.VerifyOptions{
		Roots:         anchors,
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, certificate := range certificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	_, err := certificates[0].Verify(options)
	return err
}
