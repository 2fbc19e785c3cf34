//go:build go1.24

package main

import "crypto/tls"

func init() {
	groups["x25519mlkem768"] = tls.X25519MLKEM768
	provide("library", "group.x25519mlkem768")
}
