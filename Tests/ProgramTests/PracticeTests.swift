import Foundation
import Testing

/// The exercises from outside.
@Suite(.serialized) struct PracticeTests {
  private static let folder = URL(filePath: #filePath).appending(path: "../../../Screens/practice").standardizedFileURL
    .path()

  @Test func theListNamesEachExercise() async throws {
    let run = try await Program.run("practice", "--list")
    #expect(run.status == 0 && run.errors.isEmpty)
    let names = run.output.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
    #expect(names.count >= 16)
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".yaml") }
    #expect(Set(names) == Set(files.map { String($0.dropLast(5)) }))
    let piped = try await Program.run("practice")
    #expect(piped.output == run.output, "without a terminal nothing can be chosen")
  }

  @Test func anUnknownNameHasANearOne() async throws {
    let run = try await Program.run("practice", "nginx-wrong-prot")
    #expect(run.status == 64)
    #expect(run.complaint?.contains("Did you mean nginx-wrong-port?") == true)
  }

  @Test func anExerciseIsDoneInLines() async throws {
    let folder = try Folder()
    let place = folder.path + "/answers"
    try "start\nThe route goes to the wrong port\n".write(toFile: place, atomically: true, encoding: .utf8)
    let run = try await Program.run("practice", "nginx-wrong-port", "--answers", place, limit: 60)
    #expect(run.status == 1)
    #expect(run.output.contains("] Checking shop-prod.example.test") && run.output.contains("That is right."))
    #expect(run.output.components(separatedBy: "\n[practice 20").count > 3)
    let restricted = try await Program.run("practice", "nginx-wrong-port", "--restricted", limit: 60)
    #expect(restricted.status == 0 && restricted.output.contains("h hint"))
    let file = try await Program.run("practice", "--restricted", "--from", folder.path)
    #expect(file.status == 64)
  }

  @Test func aTeachersOwnFolderIsChecked() async throws {
    let folder = try Folder()
    let none = try await Program.run("practice", "--list", "--from", folder.path)
    #expect(none.status == 66 && none.complaint?.contains("no exercise") == true)
    try "title: Mine\n".write(toFile: folder.path + "/mine.yaml", atomically: true, encoding: .utf8)
    let broken = try await Program.run("practice", "--list", "--from", folder.path)
    #expect(broken.status == 66 && broken.complaint?.contains("mine.yaml") == true)
    let exercise = """
      title: Mine
      goal: Find out why.
      hints: [one, two, three]
      first: The port.
      causes: [wrong-port]
      others: [backend-stopped]
      """
    try exercise.write(toFile: folder.path + "/mine.yaml", atomically: true, encoding: .utf8)
    let good = try await Program.run("practice", "--list", "--from", folder.path)
    #expect(good.output == "mine: Mine\n")
  }

  /// What is recorded shows what the exercise says, or `lint` says so.
  @Test func lintDiagnosesTheRecordings() async throws {
    let folder = try Folder()
    let place = folder.path + "/Screens/practice"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    for file in ["nginx-wrong-port.yaml", "nginx-wrong-port.1.xz", "nginx-wrong-port.2.xz"] {
      try FileManager.default.copyItem(atPath: Self.folder + "/" + file, toPath: place + "/" + file)
    }
    try FileManager.default.removeItem(atPath: place + "/nginx-wrong-port.2.xz")
    try FileManager.default.copyItem(
      atPath: place + "/nginx-wrong-port.1.xz", toPath: place + "/nginx-wrong-port.2.xz")
    let run = try await Program.run("lint", folder.path, limit: 120)
    #expect(run.status == 1)
    #expect(run.output == "nginx-wrong-port.2: error: it shows 'wrong-port', and the exercise says 'working'\n")
  }
}
