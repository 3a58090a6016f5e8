import Foundation
import Glibc
import Testing

/// Files that are no recording, or a broken one: exit code 66, one sentence, and never a wait.
@Suite(.serialized) struct RecordingFileTests {
  enum Broken: String, CaseIterable, CustomTestStringConvertible {
    case cutInALine, cutAfterALine, anotherType, twice, unknownLook, newer, tooMany
    case binary, huge, hugeWhenDecompressed, compressedAndCut
    case folder, nowhere, circle, pipe
    var testDescription: String { rawValue }

    /// What the sentence says.
    var says: String {
      switch self {
      case .cutInALine, .cutAfterALine: "the recording is cut: it has"
      case .anotherType: "is of another type"
      case .twice: "the same look was there before"
      case .unknownLook: "no look is called telepathy"
      case .newer: "the recording has version 4711; this program reads"
      case .tooMany: "records that there should be"
      case .binary: "line 1: this is no recording of wizard502"
      case .huge, .hugeWhenDecompressed: "line 1: more than 256 MB"
      case .compressedAndCut: "is compressed and damaged"
      case .folder: "cannot be read: Is a directory"
      case .nowhere: "cannot be read: No such file or directory"
      case .circle: "cannot be read: Too many levels of symbolic links"
      case .pipe: "is a pipe into which nobody writes"
      }
    }
  }

  private static let exercises = URL(filePath: #filePath).appending(path: "../../../Screens/practice")
    .standardizedFileURL
    .path()

  /// Puts a broken recording into a place.
  private func put(_ broken: Broken, at path: String) async throws {
    let good = "\(Self.exercises)/nginx-wrong-port.1.xz"
    var lines = try await Program.run("-dc", good, command: ["xz"], limit: 60).output
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    switch broken {
    case .cutInALine: lines = Array(lines.prefix(9)) + [String(lines[9].prefix(40))]
    case .cutAfterALine: lines = Array(lines.prefix(9)) + [""]
    case .anotherType: lines[3] = lines[3].replacing(/"seconds":[^,]*/, with: "\"seconds\":\"soon\"")
    case .twice: lines[4] = lines[3]
    case .unknownLook: lines[3] = lines[3].replacing(/"kind":"[^"]*"/, with: "\"kind\":\"telepathy\"")
    case .newer: lines[0] = lines[0].replacing(/"version":\d+/, with: "\"version\":4711")
    case .tooMany: lines[0] = lines[0].replacing(/"records":\d+/, with: "\"records\":3")
    case .binary:
      return try Data((0..<100_000).map { _ in UInt8.random(in: 0...255) }).write(to: URL(filePath: path))
    case .huge:
      try Data().write(to: URL(filePath: path))
      try #require(truncate(path, 1 << 40) == 0)
      return
    case .hugeWhenDecompressed:
      _ = try await Program.run(
        "-c", "head -c 300M /dev/zero | gzip -1 > '\(path)'", command: ["sh"], limit: 60)
      return
    case .compressedAndCut: return try Data(contentsOf: URL(filePath: good)).prefix(2000).write(to: URL(filePath: path))
    case .folder: return try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    case .nowhere: return try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + ".gone")
    case .circle: return try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
    case .pipe:
      try #require(mkfifo(path, 0o600) == 0)
      return
    }
    try lines.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
  }

  @Test(arguments: Broken.allCases) func whatIsBrokenIsSaidInOneSentence(broken: Broken) async throws {
    let folder = try Folder()
    for file in ["mine.1", "mine.2"] { try await put(broken, at: "\(folder.path)/\(file)") }
    try FileManager.default.copyItem(
      atPath: "\(Self.exercises)/nginx-wrong-port.yaml", toPath: folder.path + "/mine.yaml")
    let file = folder.path + "/mine.1"
    for words in [
      ["diagnose", "--from", file], ["--from", file, "--plain"], ["practice", "--from", folder.path, "mine"],
    ] {
      let isPractice = words[0] == "practice"
      // Without a terminal practice lists its exercises.
      let typed = ([Program.path] + words).joined(separator: " ")
      let run = try await Program.run(
        isPractice ? ["-c", "script -qec '\(typed)' /dev/null > \(folder.path)/said"] : words,
        command: isPractice ? ["sh"] : [Program.path], limit: 60)
      #expect(run.status == 66, "\(words)")
      let sentence = isPractice ? folder.text("said") ?? "" : try #require(run.complaint, "\(run.errors)")
      if isPractice, [.nowhere, .circle].contains(broken) {
        #expect(sentence == "wizard502: the recording mine.1 is missing\r\n")
        continue
      }
      #expect(sentence.hasPrefix("wizard502: \(folder.path)/mine.") && sentence.contains(broken.says), "\(sentence)")
      #expect(sentence.split(whereSeparator: \.isNewline).count == 1, "\(sentence)")
    }
  }

  /// Links, pipes and compressed files are files as well.
  @Test func whatLeadsToAGoodOneIsReadThroughIt() async throws {
    let folder = try Folder()
    let good = "\(Self.exercises)/nginx-wrong-port.1.xz"
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: good)
    let straight = try await Program.run("diagnose", "--from", good, limit: 60)
    let linked = try await Program.run("diagnose", "--from", folder.path + "/link", limit: 60)
    let piped = try await Program.run(
      "-c", "\(Program.path) diagnose --from <(xz -dc \(good))", command: ["bash"], limit: 60)
    #expect(straight.status == 1 && straight.output.contains("wrong port"))
    #expect(linked.output == straight.output && piped.output == straight.output)
  }

  /// Root would write where somebody else's link leads.
  @Test func nothingIsSavedThroughALink() async throws {
    let folder = try Folder()
    for (name, target) in [("there", "file"), ("nowhere", "gone")] {
      try "mine".write(toFile: folder.path + "/file", atomically: false, encoding: .utf8)
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/\(name)", withDestinationPath: "\(folder.path)/\(target)")
      let run = try await Program.run("diagnose", "http://nobody.invalid/", "--save", "\(folder.path)/\(name)")
      #expect(run.status == 74 && run.complaint?.contains("File exists") == true)
    }
    #expect(folder.text("file") == "mine" && folder.text("gone") == nil)
  }
}
