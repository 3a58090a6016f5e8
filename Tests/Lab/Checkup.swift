import Foundation
import Testing

extension Lab {
  /// Systems that work. Those with a weakness have one, which the checkup finds, and which is gone once its own steps
  /// were carried out; in the others it finds nothing.
  @Test(arguments: Fault.chosen(Fault.weak))
  func checkup(_ system: Fault) async throws {
    try await standing(system) { site, _, stage in try await checkUp(system, site, stage) }
  }

  private func checkUp(_ system: Fault, _ site: Site, _ stage: Stage) async throws {
    let weakness = site.weakness ?? ""
    let run = try await Wizard.checkup(site)
    let found = run.site.weaknesses
    var row = Table.Row(
      fault: system.name, proxy: site.proxy, expected: weakness.isEmpty ? "nothing" : weakness,
      got: found.first?.id ?? "nothing", seconds: run.seconds)
    #expect(found.map(\.id) == (weakness.isEmpty ? [] : [weakness]))
    #expect(run.site.unseen == [])
    #expect(run.exitCode == (weakness.isEmpty ? 0 : 1))
    if let first = found.first, first.id == weakness {
      #expect(!first.why.isEmpty && !first.evidence.isEmpty && !first.steps.isEmpty)
      let steps = first.steps.filter { $0.changes == true && ($0.command ?? $0.patch) != nil }
      for step in steps { try await carryOut(step, in: stage.named("proxy"), site, mayFail: false) }
      if !steps.isEmpty, site.lastsAfterSteps {
        #expect(try await eventually(within: 8) { try await Answer.from(site).isGood(for: site) })
        let isGone = try await eventually(within: 8) {
          try await Wizard.checkup(site).site.weaknesses.allSatisfy { $0.id != weakness }
        }
        #expect(isGone, "\(weakness) is still there after its steps")
        row.isFixed = isGone ? "yes" : "no"
      }
    }
    await Table.shared.add(row)
  }

  /// What is true of most staged systems, since they are made for another purpose: containers that are only started by
  /// hand, and names that nginx looks up once. Whatever else a checkup finds in a healthy system is a false alarm.
  private static let asStaged: Set = ["no-restart-policy", "proxy-no-restart-policy", "name-looked-up-once"]

  func expectNothingElse(_ site: Site) async throws {
    let run = try await Wizard.checkup(site)
    let alarms = run.site.weaknesses.map(\.id).filter { !Self.asStaged.contains($0) && !site.alsoWeak.contains($0) }
    #expect(alarms == [], "a healthy system")
    await Table.shared.add(
      .init(
        fault: "checkup of \(site.url)", proxy: site.proxy, expected: "nothing", got: alarms.first ?? "nothing",
        confidence: run.site.unseen.isEmpty ? "-" : "unseen: \(run.site.unseen.joined(separator: "; "))",
        seconds: run.seconds))
  }
}

extension Wizard {
  struct Checkup: Decodable {
    struct Found: Decodable {
      var id: String
      var urgency: String
      var title: String
      var why: String
      var evidence: [String]
      var steps: [Diagnosis.Step]
    }
    var url: String?
    var weaknesses: [Found]
    var unseen: [String]
  }

  static func checkup(_ site: Site) async throws -> (site: Checkup, exitCode: Int32, seconds: Double) {
    let start = ContinuousClock.now
    let engine = site.engine.map { ["env", "DOCKER_HOST=\($0)"] } ?? []
    let output = try await run(engine + [program, "checkup", site.url, "--json"], limit: 90)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    guard let sites = try? JSONDecoder().decode([Checkup].self, from: Data(output.text.utf8)), let one = sites.first
    else {
      throw CommandFailed(
        description: "wizard502 ended with \(output.status), no checkup: \(output.text)\(output.errors)")
    }
    return (one, output.status, seconds)
  }
}
