// Asks for the metrics until some replica says that it is the leader: a Service leads each connection to any of them.
const [url, seconds] = process.argv.slice(1);
const deadline = Date.now() + Number(seconds) * 1_000;
for (let answer = ""; ;) {
  try {
    answer = await (await fetch(url, { headers: { connection: "close" } })).text();
  } catch (error) {
    answer = String(error.cause ?? error);
  }
  if (/^leader_election_master_status\{.*\} 1$/m.test(answer)) break;
  if (Date.now() > deadline) throw new Error(`no leader at ${url}: ${answer.slice(0, 500)}`);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}
process.stdout.write("a replica leads\n");
