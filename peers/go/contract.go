package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// octets are written as hexadecimal text.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(o)), nil }

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// setup is what this peer knows of a job's setup; other keys are answered by their capability.
type setup struct {
	Versions  []string  `json:"versions"`
	Groups    []string  `json:"groups"`
	Suites    []string  `json:"cipher_suites"`
	Keys      string    `json:"keys"`
	Identity  *identity `json:"identity"`
	Anchors   *string   `json:"trust_anchors"`
	Name      *string   `json:"server_name"`
	Policy    string    `json:"policy"`
	TLSFlags  *octets   `json:"tls_flags"`
	Flag      *uint16   `json:"flag"`
	Extension *uint16   `json:"extension"`
	Revision  string    `json:"revision"`
	Resume    *struct {
		TLSFlags *octets `json:"tls_flags"`
		Early    bool    `json:"early_data"`
	} `json:"resumption"`
	Sessions      string          `json:"sessions"`
	Early         bool            `json:"early_data"`
	PostHandshake bool            `json:"post_handshake_auth"`
	Edits         json.RawMessage `json:"edits"`
	BadSignature  bool            `json:"bad_certificate_verify"`
	Deadline      *uint64         `json:"deadline_ms"`
}

type identity struct {
	Certificates string `json:"certificates"`
	Key          string `json:"private_key"`
}

// answer is what a server writes on an established connection.
type answer struct {
	Certificate *octets `json:"client_certificate"`
	TLSFlags    *octets `json:"tls_flags"`
}

// report is what an end reports of one connection.
type report struct {
	Outcome     string   `json:"outcome"`
	Error       string   `json:"error,omitempty"`
	Sent        *octets  `json:"tls_flags_sent,omitempty"`
	Received    *octets  `json:"tls_flags_received,omitempty"`
	Certificate *octets  `json:"peer_certificate,omitempty"`
	Resumed     *bool    `json:"resumed,omitempty"`
	Answer      *answer  `json:"answer,omitempty"`
	KeyLog      []string `json:"key_log"`
}

// job is one end of one cell.
type job struct {
	deadline    time.Duration
	run         func(connection uint32, stream *tap, report *report)
	connections map[uint32]*report
	open        sync.WaitGroup
}

func (j *job) done() { j.open.Done() }

// peer holds the jobs of all control connections.
type peer struct {
	mutex sync.Mutex
	jobs  map[string]*job
	once  sync.Once
	hold  chan struct{}
	exits bool
}

// errUnsupported names a capability that is lacking.
type errUnsupported string

func (e errUnsupported) Error() string { return string(e) }

func failure(format string, arguments ...any) map[string]string {
	return map[string]string{"reply": "error", "message": fmt.Sprintf(format, arguments...)}
}

// control answers asks until the connection ends; its jobs end with it.
func (p *peer) control(reader *bufio.Reader, out *json.Encoder) {
	var own []string
	holds := false
	defer func() {
		p.mutex.Lock()
		for _, id := range own {
			delete(p.jobs, id)
		}
		p.mutex.Unlock()
		if holds && p.exits {
			os.Exit(0)
		}
	}()
	for {
		line, err := readLine(reader)
		if err != nil {
			out.Encode(failure("%v", err))
			return
		}
		if line == nil {
			return
		}
		var ask struct {
			Ask string          `json:"ask"`
			Job json.RawMessage `json:"job"`
		}
		var reply any
		var id string
		switch err := strictly(line, &ask); {
		case err != nil:
			reply = failure("%v", err)
		case ask.Ask == "describe" && ask.Job == nil:
			reply = describe()
		case ask.Ask == "prepare" && ask.Job != nil:
			id, err = p.prepare(ask.Job)
			var lacking errUnsupported
			switch {
			case err == nil:
				own = append(own, id)
				reply = map[string]string{"reply": "prepared"}
			case errors.As(err, &lacking):
				reply = map[string]string{"reply": "unsupported", "capability": string(lacking)}
			default:
				reply = failure("%v", err)
			}
		case ask.Ask == "report" && json.Unmarshal(ask.Job, &id) == nil:
			reply = p.report(id)
		case ask.Ask == "hold" && ask.Job == nil:
			// The first connection that asks holds the peer, and no other: who could ask too could end it.
			p.once.Do(func() {
				holds = true
				close(p.hold)
			})
			if holds {
				reply = map[string]string{"reply": "held"}
			} else {
				reply = failure("got hold, which another connection has asked before")
			}
		default:
			reply = failure("got ask %q, expected describe, prepare or report with a job, or hold", ask.Ask)
		}
		if out.Encode(reply) != nil {
			return
		}
	}
}

func (p *peer) prepare(text json.RawMessage) (string, error) {
	var asked struct {
		ID    *string                    `json:"id"`
		Side  string                     `json:"side"`
		Setup map[string]json.RawMessage `json:"setup"`
	}
	if err := strictly(text, &asked); err != nil {
		return "", err
	}
	if asked.ID == nil {
		return "", errors.New("got a job without id, expected one")
	}
	if asked.Side != "client" && asked.Side != "server" {
		return "", fmt.Errorf("got side %q, expected client or server", asked.Side)
	}
	var setup setup
	raw, _ := json.Marshal(asked.Setup)
	for key := range asked.Setup {
		if !knownKeys[key] {
			return "", errUnsupported("setup." + key)
		}
	}
	if err := strictly(raw, &setup); err != nil {
		return "", err
	}
	if err := setup.check(asked.Side); err != nil {
		return "", err
	}
	job := &job{deadline: patience, connections: map[uint32]*report{}}
	if setup.Deadline != nil {
		job.deadline = time.Duration(*setup.Deadline) * time.Millisecond
	}
	var err error
	if asked.Side == "client" {
		job.run, err = client(&setup)
	} else {
		job.run, err = server(&setup)
	}
	if err != nil {
		return "", err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.jobs[*asked.ID] != nil {
		return "", fmt.Errorf("got job %q a second time, expected a new id", *asked.ID)
	}
	p.jobs[*asked.ID] = job
	return *asked.ID, nil
}

// open registers a connection of a job.
func (p *peer) open(id string, connection uint32) (*job, *report, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	job := p.jobs[id]
	if job == nil {
		return nil, nil, fmt.Errorf("got job %q, expected a prepared one", id)
	}
	if job.connections[connection] != nil {
		return nil, nil, fmt.Errorf("got connection %d of job %q a second time", connection, id)
	}
	report := &report{Outcome: "broken", KeyLog: []string{}}
	job.connections[connection] = report
	job.open.Add(1)
	return job, report, nil
}

// report ends a job, once its connections have ended.
func (p *peer) report(id string) any {
	p.mutex.Lock()
	job := p.jobs[id]
	delete(p.jobs, id)
	p.mutex.Unlock()
	if job == nil {
		return failure("got job %q, expected a prepared one", id)
	}
	job.open.Wait()
	reports := []*report{}
	for number := uint32(0); len(reports) < len(job.connections); number++ {
		if report := job.connections[number]; report != nil {
			reports = append(reports, report)
		}
	}
	return map[string]any{"reply": "report", "connections": reports}
}

// readLine reads a line; nil at the end of the stream.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil && len(line) <= longestLine:
			return line, nil
		case len(line) >= longestLine:
			return nil, fmt.Errorf("got a line of more than %d octets", longestLine)
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) == 0:
			return nil, nil
		default:
			return nil, fmt.Errorf("got a line without end: %w", err)
		}
	}
}

// strictly reads one JSON object, whose keys all have to be known.
func strictly(line []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("got %.80q, expected an object of the contract: %w", line, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("got %.80q, expected one object", line)
	}
	return nil
}
