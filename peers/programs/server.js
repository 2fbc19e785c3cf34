// An HTTPS server of Node: PORT AUTHORITY CERTIFICATE KEY POLICY.
"use strict";
const fs = require("fs");
const https = require("https");
const [port, authority, certificate, key, policy] = process.argv.slice(2);
const options = {
    ca: fs.readFileSync(authority),
    cert: fs.readFileSync(certificate),
    key: fs.readFileSync(key),
    requestCert: policy !== "off",
    rejectUnauthorized: policy === "required",
};
https.createServer(options, (_, response) => response.end("answered")).listen(port, "127.0.0.1");
