import Foundation

/// The program under test: `.build/release/wizard502` of this package, or what `WIZARD502` names.
enum Wizard {
  struct Run {
    var diagnosis: Diagnosis
    var exitCode: Int32
    var seconds: Double
  }

  static func diagnose(_ site: Site, savingTo file: String? = nil) async throws -> Run {
    let start = ContinuousClock.now
    let engine = site.engine.map { ["env", "DOCKER_HOST=\($0)"] } ?? []
    let series = site.series.map { ["--repeat", String($0)] } ?? []
    let saving = file.map { ["--save", $0] } ?? []
    let output = try await run(engine + [program, "diagnose", site.url, "--json"] + series + saving, limit: 90)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    guard let diagnosis = try? JSONDecoder().decode(Diagnosis.self, from: Data(output.text.utf8)) else {
      throw CommandFailed(
        description: "wizard502 ended with \(output.status), no diagnosis: \(output.text)\(output.errors)")
    }
    return Run(diagnosis: diagnosis, exitCode: output.status, seconds: seconds)
  }

  static var program: String {
    let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
    return ProcessInfo.processInfo.environment["WIZARD502"]
      ?? package.appending(path: ".build/release/wizard502").path()
  }
}

/// What of `diagnose --json` the lab looks at.
struct Diagnosis: Decodable {
  var schema: Int
  var verdict: Verdict
  var observed: Observed
  var proxy: Proxy?
  var route: Route?
  var causes: [Cause]

  enum Verdict: String, Decodable { case diagnosed, working, inconclusive }

  struct Observed: Decodable {
    var status: Int?
  }

  struct Proxy: Decodable {
    var kind: String
    var `where`: String
  }

  struct Route: Decodable {
    var host: String?
    var upstream: String?
  }

  struct Cause: Decodable {
    var id: String
    var confidence: Confidence
    var explanation: String
    var evidence: [String]
    var fix: Fix
  }

  struct Fix: Decodable {
    var steps: [Step]
  }

  struct Step: Decodable {
    var text: String
    var command: String?
    var place: String?
    var file: String?
    var patch: String?
    var changes: Bool?
  }
}

/// How sure a diagnosis is of a cause.
enum Confidence: Int, Decodable, Comparable, CustomStringConvertible {
  case possible, likely, certain

  init(from decoder: any Decoder) throws {
    let word = try decoder.singleValueContainer().decode(String.self)
    guard let known = [Confidence.possible, .likely, .certain].first(where: { $0.description == word }) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "no confidence \(word)"))
    }
    self = known
  }

  var description: String {
    switch self {
    case .possible: "possible"
    case .likely: "likely"
    case .certain: "certain"
    }
  }

  static func < (left: Confidence, right: Confidence) -> Bool { left.rawValue < right.rawValue }
}
