// One GET: URL AUTHORITY [CERTIFICATE KEY].
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	text, err := get(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(text)
}

func get(arguments []string) (string, error) {
	authority, err := os.ReadFile(arguments[1])
	if err != nil {
		return "", err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(authority)
	if len(arguments) == 4 {
		certificate, err := tls.LoadX509KeyPair(arguments[2], arguments[3])
		if err != nil {
			return "", err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	answer, err := client.Get(arguments[0])
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}
