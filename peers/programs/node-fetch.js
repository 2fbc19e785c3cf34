// One GET: URL; the authority is in NODE_EXTRA_CA_CERTS.
fetch(process.argv[2])
  .then((answer) => answer.text())
  .then((text) => console.log(text))
  .catch((error) => {
    console.error(`error: ${error.message}: ${error.cause && error.cause.message}`);
    process.exitCode = 1;
  });
