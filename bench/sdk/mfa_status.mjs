// mfa_status.mjs URL: who has a second factor, with the AWS SDK for JavaScript v3.
//
// The collector that Assay takes the place of, as it was written: ListUsers, then ListMFADevices of
// each user. Added are what it lacked and needs here: all pages of users, 16 calls at a time over
// connections that are kept, and the sandbox as endpoint. Keys come from AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY.
//
// Prints {"calls", "users", "withMFA", "cpu_us_per_call", "wall_ms", "max_rss_kib"}; the CPU time is
// that of the calls alone, without the time it takes to load the SDK.
import { Agent } from "node:http";
import { IAMClient, ListMFADevicesCommand, paginateListUsers } from "@aws-sdk/client-iam";

const CONCURRENCY = 16;
const iam = new IAMClient({
  region: "us-east-1",
  endpoint: process.argv[2],
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: CONCURRENCY }) },
});
let calls = 0;

async function listUsers() {
  const users = [];
  for await (const page of paginateListUsers({ client: iam, pageSize: 1000 }, {})) {
    users.push(...page.Users);
    calls++;
  }
  return users;
}

async function mfaOf(user) {
  const mfaDevices = await iam.send(new ListMFADevicesCommand({ UserName: user.UserName }));
  calls++;
  return {
    userName: user.UserName,
    hasMFA: mfaDevices.MFADevices.length > 0,
    mfaDevices: mfaDevices.MFADevices.map((d) => d.SerialNumber),
  };
}

async function mfaStatus(users) {
  const details = new Array(users.length);
  let next = 0;
  const work = async () => {
    while (next < users.length) {
      const i = next++;
      details[i] = await mfaOf(users[i]);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return {
    totalUsers: users.length,
    usersWithMFA: details.filter((u) => u.hasMFA).length,
    usersWithoutMFA: details.filter((u) => !u.hasMFA).length,
    details,
  };
}

const before = process.cpuUsage();
const begin = performance.now();
const data = await mfaStatus(await listUsers());
const cpu = process.cpuUsage(before);
console.log(JSON.stringify({
  calls,
  users: data.totalUsers,
  withMFA: data.usersWithMFA,
  cpu_us_per_call: (cpu.user + cpu.system) / calls,
  wall_ms: Math.round(performance.now() - begin),
  max_rss_kib: process.resourceUsage().maxRSS,
}));
iam.destroy();
