import Foundation

/// An image made from this machine's Debian packages and a folder below `Images/`.
struct Image: Sendable {
  /// Its tag in the engine, of the shape real ones have.
  var tag: String
  /// The folder below `Images/` that is copied over it.
  var overlay: String
  /// What of Debian it has: the parts that `tree.sh` knows.
  var parts: [String]
  /// Dockerfile instructions: command, ports.
  var instructions: [String]

  static let nginx = Image(
    tag: "wizlab/nginx:1.22", overlay: "nginx", parts: ["nginx"],
    instructions: [#"CMD ["nginx", "-g", "daemon off;"]"#, "EXPOSE 80"])
  static let manager = Image(
    tag: "wizlab/nginx-proxy-manager:2", overlay: "npm", parts: ["nginx", "python"],
    instructions: [#"CMD ["python3", "/app/manager.py"]"#, "EXPOSE 80 81 443"])
  static let app = Image(
    tag: "wizlab/app:1.4", overlay: "app", parts: ["python"],
    instructions: [#"ENTRYPOINT ["python3", "/srv/server.py"]"#])

  static func buildAll() async throws {
    for image in [nginx, manager, app] { try await image.build() }
  }

  /// Imports the image unless the engine has it from the same sources.
  private func build() async throws {
    let sources = Bundle.module.bundleURL.appending(path: "Images").path()
    let hash = try await succeed(
      "sh", "-c", #"cd "$1" && find tree.sh "$2" -type f | sort | xargs sha256sum | sha256sum | cut -c 1-16"#,
      "sh",
      sources, overlay)
    let present = try await run(["docker", "image", "inspect", "-f", "{{.Config.Labels.sources}}", tag])
    if present.text.hasPrefix(hash) { return }
    let tree = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: tree) }
    let filled = try await run(["sh", sources + "/tree.sh", tree.path(), sources + "/" + overlay] + parts)
    guard filled.status == 0 else { throw CommandFailed(description: "tree.sh: \(filled.errors)") }
    let changes = (instructions + ["LABEL sources=\(hash)"]).flatMap { ["-c", $0] }
    let imported = try await run(
      ["sh", "-c", #"tree=$1; shift; tar -C "$tree" -c . | docker import "$@""#, "sh", tree.path()]
        + changes + ["-", tag])
    guard imported.status == 0 else { throw CommandFailed(description: "docker import: \(imported.errors)") }
  }
}
