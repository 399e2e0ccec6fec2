// A worker thread of pack.mjs: a registry on loopback, so that npm commands run as a reader of the documentation types
// them. It serves the packages that pack.mjs has packed, and those of package-lock.json at their locked versions, from
// node_modules. Nothing is downloaded, and npm cannot tell the difference.
//
// A worker, because pack.mjs waits for its child processes without an event loop.
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Path from "node:path"
import { parentPort, workerData } from "node:worker_threads"

const readJson = (file) => JSON.parse(Fs.readFileSync(file, "utf8"))

/** Every package by its name: its versions, each with its manifest and with what streams its tarball. */
const packages = new Map()

const add = (manifest, write) => {
  const versions = packages.get(manifest.name) ?? new Map()
  packages.set(manifest.name, versions)
  if (!versions.has(manifest.version)) versions.set(manifest.version, { manifest, write })
}

for (const { manifest, tarball } of workerData.packed) {
  add(manifest, (response) => Fs.createReadStream(tarball).pipe(response))
}
// Packages at the root come first, and are what npm installs when a command names no version.
const locked = Object.entries(readJson("package-lock.json").packages)
  .filter(([path, { link }]) => path.includes("node_modules/") && link !== true)
  .toSorted(([a], [b]) => a.split("node_modules/").length - b.split("node_modules/").length)
for (const [path, entry] of locked) {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
  // The tarballs are made here, so they differ from those of the lockfile. Nothing runs while they are installed.
  const { hasInstallScript: _, integrity: __, resolved: ___, ...manifest } = entry
  add({ ...manifest, name }, (response) => {
    const tar = spawn(
      "tar",
      ["-czf", "-", "--exclude=*/node_modules", "-C", Path.dirname(path), Path.basename(path)],
      { stdio: ["ignore", "pipe", "ignore"] }
    )
    tar.once("error", (error) => response.destroy(error))
    tar.stdout.pipe(response)
  })
}

const server = Http.createServer(({ headers, url }, response) => {
  const [, name, version] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+)\.tgz)?$/.exec(decodeURIComponent(url)) ?? []
  const versions = packages.get(name)
  const wanted = versions?.get(version)
  if (versions === undefined || (version !== undefined && wanted === undefined)) response.writeHead(404).end("{}")
  else if (wanted !== undefined) wanted.write(response)
  else {
    const tarball = (each) => `http://${headers.host}/${name}/-/${each}.tgz`
    const described = Array.from(
      versions,
      ([each, { manifest }]) => [each, { ...manifest, dist: { tarball: tarball(each) } }]
    )
    const document = { name, "dist-tags": { latest: described[0][0] }, versions: Object.fromEntries(described) }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document))
  }
})

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
server.listen(0, "127.0.0.1", () => parentPort.postMessage(`http://127.0.0.1:${server.address().port}/`))
