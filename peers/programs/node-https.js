// One GET: URL AUTHORITY [CERTIFICATE KEY].
const fs = require("fs");
const https = require("https");

const [url, authority, certificate, key] = process.argv.slice(2);
const options = { ca: fs.readFileSync(authority) };
if (certificate) {
  options.cert = fs.readFileSync(certificate);
  options.key = fs.readFileSync(key);
}
https
  .get(url, options, (answer) => answer.pipe(process.stdout))
  .on("error", (error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });
