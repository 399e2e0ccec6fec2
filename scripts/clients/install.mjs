// Installs clients outside of the repository, and leaves alone what is there already.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

const root = Path.join(Os.tmpdir(), "effect-sampling-clients")

/** Clients of the same packages share a folder. */
const folderOf = ({ packages }) =>
  Path.join(root, Object.entries(packages).flat().join("-").replaceAll(/[^\w.]+/g, "-").replace(/^-/, ""))

const installedVersion = (folder, name) => {
  const file = Path.join(folder, "node_modules", name, "package.json")
  return Fs.existsSync(file) ? JSON.parse(Fs.readFileSync(file, "utf8")).version : undefined
}

/** What npm says went wrong, without addresses. */
export const reasonOf = (output) => {
  const lines = output.split("\n").filter((line) => line.startsWith("npm error")).map((line) => line.slice(10).trim())
  return lines.slice(0, 2).join(" ").replaceAll(/https?:\/\/\S+/g, "the registry") || "npm gave no reason"
}

/** The folder in which the client is installed, with the drivers beside it, or the reason why it is not. */
export const install = (client) => {
  const folder = folderOf(client)
  const { packages } = client
  if (Object.entries(packages).some(([name, version]) => installedVersion(folder, name) !== version)) {
    Fs.rmSync(folder, { recursive: true, force: true })
    Fs.mkdirSync(folder, { recursive: true })
    const manifest = { name: "clients", private: true, type: "module", dependencies: packages }
    Fs.writeFileSync(Path.join(folder, "package.json"), JSON.stringify(manifest, null, 2))
    const args = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--no-package-lock"]
    const { status, stderr, stdout } = spawnSync("npm", args, { cwd: folder, encoding: "utf8", timeout: 600_000 })
    if (status !== 0) return { reason: reasonOf(`${stdout}${stderr}`) }
  }
  Fs.cpSync(Path.join(import.meta.dirname, "drivers"), folder, { recursive: true })
  return { folder }
}
