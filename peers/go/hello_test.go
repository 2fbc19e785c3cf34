package main

import (
	"bufio"
	"bytes"
	"testing"
)

// clientHello is a record with a ClientHello that has this extension alone.
func clientHello(number byte, data ...byte) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	body = append(body, 0, byte(4+len(data)), 0, number, 0, byte(len(data)))
	body = append(body, data...)
	message := append([]byte{1, 0, 0, byte(len(body))}, body...)
	return append([]byte{22, 3, 1, 0, byte(len(message))}, message...)
}

// read passes octets through a tap, that many at once, and returns what the tap saw of extension 62.
func read(octets []byte, width int) (seen [][]byte) {
	stream := &tap{reader: bufio.NewReaderSize(bytes.NewReader(octets), 16)}
	stream.inspect = func(_ int, hello *hello) error {
		seen = append(seen, hello.extensions[62])
		return nil
	}
	buffer := make([]byte, width)
	for {
		if _, err := stream.Read(buffer); err != nil {
			return seen
		}
	}
}

func TestFindsFlagsHoweverTheOctetsCome(t *testing.T) {
	both := append(clientHello(62, 1, 1), clientHello(62, 1, 2)...)
	for width := 1; width < len(both); width++ {
		seen := read(both, width)
		if len(seen) != 2 || !bytes.Equal(seen[0], []byte{1, 1}) || !bytes.Equal(seen[1], []byte{1, 2}) {
			t.Fatalf("%d octets at once: got %v, expected the flags of both", width, seen)
		}
	}
}

func TestLooksNoFurtherThanTheHellos(t *testing.T) {
	data := append([]byte{23, 3, 3, 0, 1, 0}, clientHello(62, 1, 1)...)
	if seen := read(data, len(data)); len(seen) != 0 {
		t.Fatalf("got %v behind application data, expected nothing", seen)
	}
}

func TestAHelloThatEndsEarlyIsNoHello(t *testing.T) {
	whole := clientHello(62, 1, 1)[9:]
	for length := 0; length < len(whole)-8; length++ {
		if hello, err := parseHello(whole[:length]); err == nil {
			if _, sent := hello.extensions[62]; sent {
				t.Fatalf("%d of %d octets: got flags, expected none", length, len(whole))
			}
		}
	}
}

func TestReadsFlags(t *testing.T) {
	set := []byte{11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	for flag, expected := range map[uint16]bool{80: true, 81: false, 0: false, 2039: false} {
		if got, err := flagIsSet(set, flag); err != nil || got != expected {
			t.Errorf("flag %d: got %v and %v, expected %v", flag, got, err, expected)
		}
	}
	for _, data := range [][]byte{nil, {0}, {1}, {1, 0}, {2, 1}, {2, 1, 0}, {1, 1, 1}} {
		if _, err := flagIsSet(data, 80); err == nil {
			t.Errorf("%v: got no error, expected one", data)
		}
	}
}
