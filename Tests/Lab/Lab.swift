import Foundation
import Testing

/// Real broken systems: real containers, real nginx, the released program, its own fix carried out.
///
/// | variable         | effect                                                                  |
/// | ---------------- | ----------------------------------------------------------------------- |
/// | `LAB_ONLY`       | only the faults whose names contain this                                |
/// | `LAB_SHARE`      | `2/3`: the second of every three of them, so that a run may be cut into parts |
/// | `LAB_SEED`       | draws the names and ports of the run that printed it                    |
/// | `LAB_CORE`       | only the core, as `make test` does                                      |
/// | `LAB_STAGE_ONLY` | stages each and looks with curl whether it is broken as it says, no more |
/// | `LAB_KEEP`       | leaves what was staged standing, for a look around                      |
/// | `LAB_BY_HAND`    | diagnoses from what `collect` prints alone; a folder for the pastes that misled |
/// | `LAB_ANSWERS`    | diagnoses from answers to its questions alone; a folder for the sessions that misled |
/// | `LAB_WALKS`      | walks the core in a real terminal, by what the screen tells alone             |
/// | `LAB_FLOWS`      | asks by the Flows and Screens of this folder, instead of those that are built in |
/// | `LAB_TABLE`      | a file for the table of results; with `.by-hand` or `.answers` behind its name for those |
/// | `LAB_PRACTICE`   | stages what the exercises of this folder name, and records their systems there |
/// | `WIZARD502`      | the program, instead of the release build                               |
@Suite(.serialized, .engine) struct Lab {
  private static let environment = ProcessInfo.processInfo.environment

  /// Whether the faults are wanted for something else.
  private static let isOther = ["LAB_BY_HAND", "LAB_ANSWERS", "LAB_WALKS"].contains { environment[$0] != nil }

  @Test(.enabled(if: !isOther), arguments: Fault.all)
  func staged(_ fault: Fault) async throws {
    try await standing(fault) { site, before, _ in
      if Self.environment["LAB_STAGE_ONLY"] == nil { try await diagnose(fault, site, showing: before) }
    }
  }

  /// Puts a system up and sees that it fails as it says; takes it down again, whatever comes of `use`. With `LAB_KEEP` it
  /// is left standing, and nothing is done with it.
  ///
  /// - Parameter name: Of which the stage draws its names and ports; nil: the fault's.
  func standing(
    _ fault: Fault, as name: String? = nil, _ use: (Site, Answer, Stage) async throws -> Void
  ) async throws {
    let stage = try Stage(of: name ?? fault.name)
    do {
      let site = try await fault.stage(stage)
      try await stage.settle()
      let before = try await isAsStaged(fault, site)
      if Self.environment["LAB_KEEP"] != nil {
        print(
          "\(fault.name): \(site.url)\nends with: docker rm -f $(docker ps -aq --filter label=lab=\(stage.suffix))"
        )
        return
      }
      try await use(site, before, stage)
    } catch {
      await stage.takeDown()
      throw error
    }
    await stage.takeDown()
  }

  /// Sees with curl that the site fails the way the fault claims, twice, so that it is not just starting up.
  func isAsStaged(_ fault: Fault, _ site: Site) async throws -> Answer {
    var answer = Answer(status: -1, body: "")
    let shown = try await eventually(within: 60) {
      answer = try await Answer.from(site)
      return answer.status == fault.shows && site.saysBefore.map(answer.body.contains) ?? true
    }
    try #require(shown, "\(fault.name) shows \(answer.status) \(answer.body), not \(fault.shows)")
    if site.series != nil { return answer }
    let again = try await Answer.from(site)
    try #require(
      again.status == fault.shows, "\(fault.name) first shows \(fault.shows), then \(again.status)")
    #expect(again.isGood(for: site) == site.findings.isEmpty, "a site that answers well is not broken")
    return again
  }

  private func diagnose(_ fault: Fault, _ site: Site, showing before: Answer) async throws {
    for (index, finding) in site.findings.enumerated() {
      var row = Table.Row(fault: fault.name, proxy: site.proxy, expected: finding.cause)
      do {
        let run = try await Practice.diagnose(fault, index + 1, site)
        (row.seconds, row.got) = (run.seconds, run.diagnosis.causes.first?.id ?? "nothing")
        row.confidence = run.diagnosis.causes.first?.confidence.description ?? "-"
        check(run, finding, site)
        if index == 0, before.status != 0, site.series == nil {
          #expect(run.diagnosis.observed.status == before.status)
        }
        let cause = try #require(run.diagnosis.causes.first)
        row.isFixed = try await mend(cause.fix, of: run.diagnosis, finding, site)
      } catch {
        await Table.shared.add(row)
        throw error
      }
      await Table.shared.add(row)
    }
    #expect(try await isWell(site, within: 3), "the site still fails after the fix")
    let last = try await Practice.diagnose(fault, site.findings.count + 1, site)
    #expect(last.diagnosis.verdict == .working)
    #expect(last.exitCode == 0)
    #expect(last.diagnosis.causes.map(\.id) == [])
    if site.findings.isEmpty {
      let got = last.diagnosis.causes.first?.id ?? last.diagnosis.verdict.rawValue
      await Table.shared.add(
        .init(fault: fault.name, proxy: site.proxy, expected: "working", got: got, seconds: last.seconds))
      try await expectNothingElse(site)
    }
  }

  private func check(_ run: Wizard.Run, _ finding: Finding, _ site: Site) {
    let diagnosis = run.diagnosis
    let isSure = diagnosis.causes.contains { $0.confidence >= .likely }
    #expect(diagnosis.schema == 1)
    #expect(diagnosis.verdict == (isSure ? .diagnosed : .inconclusive))
    #expect(run.exitCode == (isSure ? 1 : 2))
    #expect(diagnosis.proxy?.kind == site.proxy)
    if finding.readsRoute { #expect(diagnosis.route?.upstream == finding.upstream) }
    #expect(diagnosis.causes.first?.id == finding.cause)
    let wrong = diagnosis.causes.filter {
      $0.confidence == .certain && $0.id != finding.cause && !finding.also.contains($0.id)
    }
    #expect(wrong.map(\.id) == [], "certain of what is not so")
    guard let cause = diagnosis.causes.first(where: { $0.id == finding.cause }) else { return }
    #expect(cause.confidence >= finding.atLeast)
    #expect(!cause.evidence.isEmpty)
    let steps = cause.fix.steps.map {
      [$0.text, $0.command, $0.file, $0.patch].compactMap(\.self).joined(separator: "\n")
    }
    for literal in finding.mentions {
      #expect(steps.contains { $0.contains(literal) }, "no step of the fix mentions \(literal)")
    }
  }

  // MARK: The fix

  /// Carries out the steps that change something until the site answers well; tells how that went.
  private func mend(_ fix: Diagnosis.Fix, of diagnosis: Diagnosis, _ finding: Finding, _ site: Site)
    async throws -> String
  {
    let steps = fix.steps.filter { $0.changes == true }
    if finding.lasts {
      for step in steps { try await carryOut(step, in: diagnosis.container, site, mayFail: false) }
      #expect(try await isWell(site, within: 15), "the site does not work after the last step")
      return "yes, for good"
    }
    if try await carryOut(steps, of: diagnosis, site, mayFail: finding.byHand != nil) { return "yes" }
    // Where the app itself has to be changed, its owner does that; the commands that come after it follow.
    guard let byHand = finding.byHand else {
      #expect(site.findings.last?.cause != finding.cause, "the steps do not help")
      return "no"
    }
    try await byHand()
    if try await isWell(site, within: steps.isEmpty ? 15 : 3) { return "by hand" }
    return try await carryOut(steps.filter { $0.command != nil }, of: diagnosis, site, mayFail: false)
      ? "by hand" : "no"
  }

  /// Carries out steps until the site answers well; tells whether it does. A command may fail while what only the
  /// owner can change is not changed yet.
  private func carryOut(
    _ steps: [Diagnosis.Step], of diagnosis: Diagnosis, _ site: Site, mayFail: Bool
  ) async throws -> Bool {
    for (index, step) in steps.enumerated() {
      try await carryOut(step, in: diagnosis.container, site, mayFail: mayFail)
      let isOnlyEdited = step.patch != nil && index + 1 < steps.count  // not yet loaded
      // After the last one a proxy may need its time: Traefik loads at most every two seconds.
      if !isOnlyEdited, try await isWell(site, within: index + 1 < steps.count ? 3 : 8) { return true }
    }
    return false
  }

  /// - Parameter container: The proxy's.
  func carryOut(
    _ step: Diagnosis.Step, in container: String, _ site: Site, mayFail: Bool
  ) async throws {
    if let patch = step.patch {
      let file = try #require(step.file)
      let edit = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString).patch")
      defer { try? FileManager.default.removeItem(at: edit) }
      try Data(patch.utf8).write(to: edit)
      let patched = try await run(["patch", "--batch", "--forward", "--fuzz=0", file, edit.path()])
      #expect(patched.status == 0, "the patch does not apply: \(patched.text)\(patched.errors)\n\(patch)")
    } else if step.place == "web-ui" {
      let pages = try #require(site.webInterface, "a step in a web interface, and there is none")
      let domain = try #require(URL(string: site.url)?.host())
      try await pages.carryOut(step.text, for: domain)
    } else if let command = step.command {
      // A service that it starts must not keep what Foundation watches for the command's end.
      let close = "POSIX::close($_) for 3..255; exec {$ARGV[0]} @ARGV"
      let onHost = ["perl", "-MPOSIX", "-e", close, "--", "sh", "-c", command]
      let shell = step.place == "container" ? ["docker", "exec", container, "sh", "-c", command] : onHost
      let done = try await run(shell)
      #expect(done.status == 0 || mayFail, "\(command) ended with \(done.status): \(done.text)\(done.errors)")
    }
  }

  /// One good answer within the time; of a site that fails sometimes, as many good ones one after the other as the
  /// program asks for.
  func isWell(_ site: Site, within seconds: Double) async throws -> Bool {
    let answersWell = { () async throws -> Bool in
      for _ in 0..<(site.series ?? 1) {
        guard try await Answer.from(site).isGood(for: site) else { return false }
      }
      return true
    }
    if try await eventually(within: seconds, answersWell) { return true }
    // An old worker may have taken the first request, and taken its time.
    return try await answersWell()
  }
}

extension Diagnosis {
  /// The container in which the proxy runs.
  fileprivate var container: String { proxy?.where.split(separator: " ").last.map(String.init) ?? "" }
}

/// What a client gets, seen without the program.
struct Answer {
  /// The HTTP status; 0 if there was no answer.
  var status: Int
  var body: String

  static func from(_ site: Site) async throws -> Answer {
    let output = try await run(["curl", "-sk", "--max-time", "12", "-w", "\n%{http_code}"] + site.request + [site.url])
    let lines = output.text.split(separator: "\n", omittingEmptySubsequences: false)
    return Answer(status: Int(lines.last ?? "") ?? 0, body: lines.dropLast().joined(separator: "\n"))
  }

  func isGood(for site: Site) -> Bool {
    status == site.answers && (site.says.isEmpty ? body.isEmpty : body.contains(site.says))
  }
}
