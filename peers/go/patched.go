//go:build patched

package main

import "crypto/tls"

// The library with the patches of this folder.
func init() {
	provide("patch", "client.tls-flags", "client.flag", "client.extension",
		"client.revision.editors-copy", "server.revision.editors-copy")
	clientFlags = func(config *tls.Config, setup *setup, flags *octets) *octets {
		if flags == nil && setup.Flag == nil {
			return nil
		}
		config.TLSFlags = &tls.TLSFlags{Extension: setup.extension(), Checks: setup.Flag != nil}
		if flags != nil {
			config.TLSFlags.Data = *flags
		}
		if setup.Revision == editorsCopy {
			config.TLSFlags.Acknowledged = setup.Flag
		}
		return flags
	}
	acknowledge = func(config *tls.Config, setup *setup, set bool) {
		config.TLSFlags = &tls.TLSFlags{Extension: setup.extension(), Checks: setup.Flag != nil}
		if set {
			at := 1 + *setup.Flag/8
			data := make([]byte, at+1)
			data[0], data[at] = byte(at), 1<<(*setup.Flag%8)
			config.TLSFlags.Data = data
		}
	}
}
