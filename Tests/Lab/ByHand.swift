import Foundation
import Testing

/// The same faults, seen by nobody but a person: what `collect` prints there is all that the program gets. With
/// `LAB_ANSWERS` each system that stands is told by answers as well, at the same time.
extension Lab {
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LAB_BY_HAND"] != nil), arguments: Fault.all)
  func byHand(_ fault: Fault) async throws {
    let isAsked = ProcessInfo.processInfo.environment["LAB_ANSWERS"] != nil
    try await standing(fault) { site, _, _ in
      async let asked: () = isAsked ? try ask(fault, site) : ()
      if site.series == nil { try await diagnoseByHand(fault, site) }
      try await asked
    }
  }

  private func diagnoseByHand(_ fault: Fault, _ site: Site) async throws {
    let script = try await run([Wizard.program, "collect"])
    let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (program, paste) = (folder.appending(path: "collect.sh"), folder.appending(path: "seen.txt"))
    try Data(script.text.utf8).write(to: program)
    let engine = site.engine.map { ["env", "DOCKER_HOST=\($0)"] } ?? []
    let seen = try await run(engine + ["sh", program.path(), site.url], limit: 120)
    try Data(seen.text.utf8).write(to: paste)
    // In a network of its own, without an engine: nothing of this machine can be looked at.
    let alone = ["unshare", "-n", "env", "DOCKER_HOST=unix:///nowhere"]
    let start = ContinuousClock.now
    let output = try await run(
      alone + [Wizard.program, "diagnose", site.url, "--json", "--paste", paste.path()], limit: 60)
    let diagnosis = try JSONDecoder().decode(Diagnosis.self, from: Data(output.text.utf8))
    let expected = site.findings.first
    let first = diagnosis.causes.first
    await Table.byHand.add(
      .init(
        fault: fault.name, proxy: site.proxy, expected: expected?.cause ?? "working",
        got: first?.id ?? diagnosis.verdict.rawValue, confidence: first?.confidence.description ?? "-",
        isFixed: "-", seconds: (ContinuousClock.now - start) / .seconds(1)))
    let wrong = diagnosis.causes.filter {
      $0.confidence == .certain && $0.id != expected?.cause && expected?.also.contains($0.id) != true
    }
    #expect(wrong.map(\.id) == [], "certain of what is not so")
    // Nine of ten are right, of however many are staged.
    let missed = await Table.byHand.wrong.map(\.fault)
    #expect(missed.count * 10 <= Fault.all.count, "too many were not found by hand: \(missed)")
    if let kept = ProcessInfo.processInfo.environment["LAB_BY_HAND"], kept.hasPrefix("/"), first?.id != expected?.cause
    {
      try? FileManager.default.copyItem(
        at: paste, to: URL(filePath: kept).appending(path: "\(fault.name.replacing("/", with: "-")).txt"))
    }
  }
}
