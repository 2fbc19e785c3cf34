package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
)

const (
	extensionTLSFlags          = 62
	extensionSupportedVersions = 43
	alertIllegalParameter      = 47
	// The most octets of ClientHello messages that are looked at: what crypto/tls itself takes, twice.
	mostHello = 2 * 65536
)

var errRefused = errors.New("refused: illegal_parameter(47) for tls_flags in ClientHello")

// tap is a connection that keeps the ClientHello messages that it passes on, as long as records are plaintext.
type tap struct {
	*net.TCPConn
	reader *bufio.Reader
	// Server: looks at each ClientHello before the library does; an error ends the connection by 47.
	inspect func(number int, hello *hello) error
	// Server: the configuration of this connection, once ClientHello has come.
	configure func() *tls.Config
	record    []byte
	handshake []byte
	hellos    int
	sealed    bool
	refused   bool
}

func (t *tap) Read(buffer []byte) (int, error) {
	if t.refused {
		return 0, errRefused
	}
	length, err := t.reader.Read(buffer)
	if t.inspect != nil && !t.sealed {
		if refusal := t.follow(buffer[:length]); refusal != nil {
			t.refuse()
			return 0, refusal
		}
	}
	return length, err
}

// Write drops what the library would send behind the alert that has ended the connection.
func (t *tap) Write(buffer []byte) (int, error) {
	if t.refused {
		return 0, errRefused
	}
	return t.TCPConn.Write(buffer)
}

// refuse sends fatal illegal_parameter, in plaintext as ClientHello is.
func (t *tap) refuse() {
	t.TCPConn.Write([]byte{21, 3, 3, 0, 2, 2, alertIllegalParameter})
	t.refused = true
}

// follow gathers handshake messages from plaintext records; what is no ClientHello ends the looking.
func (t *tap) follow(octets []byte) error {
	t.record = append(t.record, octets...)
	for len(t.record) >= 5 {
		length := 5 + int(binary.BigEndian.Uint16(t.record[3:]))
		if len(t.record) < length {
			return nil
		}
		kind, body := t.record[0], t.record[5:length]
		t.record = t.record[length:]
		switch {
		case kind == 20:
		case kind != 22 || len(t.handshake)+len(body) > mostHello:
			t.sealed = true
			return nil
		default:
			t.handshake = append(t.handshake, body...)
		}
		for len(t.handshake) >= 4 {
			if t.handshake[0] != 1 {
				t.sealed = true
				return nil
			}
			end := 4 + int(t.handshake[1])<<16 + int(binary.BigEndian.Uint16(t.handshake[2:]))
			if len(t.handshake) < end {
				break
			}
			message := bytes.Clone(t.handshake[4:end])
			t.handshake = t.handshake[end:]
			if hello, err := parseHello(message); err == nil {
				if err := t.inspect(t.hellos, hello); err != nil {
					return err
				}
			}
			t.hellos++
		}
	}
	return nil
}

// hello is what the decision on the flag needs of a ClientHello.
type hello struct{ extensions map[uint16][]byte }

func parseHello(body []byte) (*hello, error) {
	short := errors.New("ClientHello ends early")
	skip := func(width int) bool {
		if len(body) < width {
			return false
		}
		length := 0
		for _, octet := range body[:width] {
			length = length<<8 | int(octet)
		}
		if len(body) < width+length {
			return false
		}
		body = body[width+length:]
		return true
	}
	// legacy_version and random, legacy_session_id, cipher_suites, legacy_compression_methods.
	if len(body) < 34 {
		return nil, short
	}
	body = body[34:]
	if !skip(1) || !skip(2) || !skip(1) || len(body) < 2 {
		return nil, short
	}
	body = body[2:]
	hello := &hello{extensions: map[uint16][]byte{}}
	for len(body) >= 4 {
		number := binary.BigEndian.Uint16(body)
		end := 4 + int(binary.BigEndian.Uint16(body[2:]))
		if len(body) < end {
			return nil, short
		}
		hello.extensions[number] = body[4:end]
		body = body[end:]
	}
	return hello, nil
}

func (h *hello) offersTLS13() bool {
	versions := h.extensions[extensionSupportedVersions]
	for at := 1; at+1 < len(versions); at += 2 {
		if versions[at] == 3 && versions[at+1] == 4 {
			return true
		}
	}
	return false
}

// flagIsSet reads extension_data by draft-ietf-tls-tlsflags section 2.
func flagIsSet(data []byte, flag uint16) (bool, error) {
	if len(data) < 2 || int(data[0]) != len(data)-1 || data[len(data)-1] == 0 {
		return false, errRefused
	}
	at := 1 + int(flag/8)
	return at < len(data) && data[at]>>(flag%8)&1 == 1, nil
}
