import Foundation

/// The recordings of the exercises in `Screens/practice`, made anew from staged faults: each system before and after its
/// fixes. Each exercise names the fault that it stages.
enum Practice {
  /// The folder of the exercises; nil where nothing is to be recorded.
  static let folder = ProcessInfo.processInfo.environment["LAB_PRACTICE"]

  /// The names of the exercises by the fault that they stage.
  static let names: [String: String] = {
    guard let folder else { return [:] }
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.reduce(into: [:]) { names, file in
      let text = (try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("staged: ") }
      guard let line else { return }
      names[line.dropFirst(8).trimmingCharacters(in: ["\"", " "])] = String(file.dropLast(5))
    }
  }()

  /// Diagnoses the site, and keeps what was seen as system `number` (from 1) of the fault's exercise, if it has one.
  static func diagnose(_ fault: Fault, _ number: Int, _ site: Site) async throws -> Wizard.Run {
    guard let folder, let name = names[fault.name] else { return try await Wizard.diagnose(site) }
    let file = "\(folder)/\(name).\(number)"
    for old in [file, file + ".xz"] { try? FileManager.default.removeItem(atPath: old) }
    let run = try await Wizard.diagnose(site, savingTo: file)
    try await succeed("xz", "-9e", file)
    return run
  }
}
