import Foundation
import Testing

/// Row 3: what lies beside the program, in the current folder or on PATH is never loaded or run.
@Suite struct PlantedTests {
  /// The release binary: the debug build, which nobody installs, looks beside itself, as SwiftPM wants it.
  static let release: String = {
    let built = Sandbox.built
    return built.contains("/debug/") ? Sandbox.package.appending(path: ".build/release/wizard502").path : built
  }()

  @Test func row3TheReleaseNamesNoFolderForItsLibraries() throws {
    try #require(FileManager.default.fileExists(atPath: Self.release), "make build comes before this test")
    let sandbox = try Sandbox(program: Self.release)
    let dynamic = try sandbox.sh("readelf -dW \(Sandbox.program)")
    #expect(dynamic.contains("NEEDED"))
    let paths = dynamic.split(separator: "\n").filter { $0.contains("RPATH") || $0.contains("RUNPATH") }
    #expect(paths.isEmpty, "\(paths)")
  }

  @Test func row3LibrariesBesideItAndInTheCurrentFolderAreNotLoaded() throws {
    try #require(FileManager.default.fileExists(atPath: Self.release), "make build comes before this test")
    let sandbox = try Sandbox(program: Self.release)
    let folder = sandbox.lair
    try sandbox.sh("cp \(Sandbox.program) \(folder)/wizard502")
    let needed = try sandbox.sh("readelf -dW \(folder)/wizard502 | sed -n 's/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p'")
      .split(separator: "\n").map(String.init)
    #expect(needed.contains { $0.contains("ncurses") }, "\(needed)")
    try sandbox.compile("planted.c", to: folder + "/planted.so", "-shared -fPIC")
    for library in needed + ["libssl.so.3", "libcrypto.so.3", "libnss_dns.so.2", "libgcc_s.so.1"]
    where !library.contains("ld-linux") {
      for place in [folder, folder + "/glibc-hwcaps/x86-64-v2", folder + "/tls"] {
        try sandbox.sh("mkdir -p \(place); cp \(folder)/planted.so \(place)/\(library)")
        let run = try sandbox.run([folder + "/wizard502", "--version"], as: .init(folder: folder), limit: 10)
        #expect(run.status == 0 && run.output.hasPrefix("wizard502 "), "\(library): \(run.description)")
        try sandbox.expectNothingRan("\(library)")
        try sandbox.sh("rm \(place)/\(library)")
      }
    }
  }

  @Test func row323HelpersAreNotLookedUpByPATHOrInTheCurrentFolder() throws {
    let sandbox = try Sandbox()
    let port = try sandbox.failing()
    for name in ["nft", "iptables-save", "ip6tables-save", "tmux", "nginx", "docker", "sh", "ss", "ip"] {
      try sandbox.write("#!/bin/sh\necho \(name) >>\(sandbox.trap)0\n", to: sandbox.lair + "/" + name, mode: 0o755)
    }
    let way = Sandbox.Way(folder: sandbox.lair, variables: ["PATH": "\(sandbox.lair):."])
    _ = try sandbox.wizard("diagnose", "http://localhost:\(port)/", as: way)
    _ = try sandbox.wizard("diagnose", "--all", as: way)
    try sandbox.expectNothingRan()
  }
}
