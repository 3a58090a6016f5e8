import Checks
import Discovery
import Fixture
import Foundation
import Model
import Reader
import Testing

@testable import Flow
import Routes

/// Every patch, applied by the real `patch` to a small configuration, is taken by the real proxy.
@Suite struct PatchTests {
  private let catalog: Catalog
  private let samples: Samples
  /// Facts that only the program's own reader may bring.
  private let isRead: @Sendable (FactName) -> Bool

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
    samples = try Samples()
    let names = Set(FactName.ofRoutes + FactName.ofUse + [.proxyKind, "join.service"])
    isRead = { names.contains($0) || $0.text.contains("-line.") }
  }

  /// One change of a system: the patches of a section with the same facts, in their order.
  private struct Change: Hashable {
    let page: String
    /// The steps of it that are patches, as `page/section/step`.
    let steps: [String]
    let patches: [String]
  }

  private func changes(_ facts: Facts) -> Set<Change> {
    var changes: Set<Change> = []
    for page in catalog.allPages {
      for (number, section) in page.sections.enumerated() {
        let patches = section.steps.enumerated().filter { if case .patch = $0.element.body { true } else { false } }
        for (_, step) in patches {
          for way in step.samples(facts, catalog, isFixed: isRead, { samples[$0] }) {
            let filled = patches.compactMap { index, step in
              step.filled(way, catalog).flatMap { $0.patch }.map { ("\(page.id)/\(number)/\(index)", $0) }
            }
            changes.insert(Change(page: page.id, steps: filled.map(\.0), patches: filled.map(\.1)))
          }
        }
      }
    }
    return changes
  }

  /// What came of one system.
  private struct Outcome {
    /// How many patches each program took.
    var validated: [String: Int] = [:]
    /// The steps that there are for it, as `page/section/step`.
    var covered: Set<String> = []
    /// Files that are broken on purpose: those that a patch mended, and those that should be.
    var mended: Set<String> = []
    var repairable: Set<String> = []

    mutating func add(_ other: Outcome) {
      validated.merge(other.validated, uniquingKeysWith: +)
      covered.formUnion(other.covered)
      mended.formUnion(other.mended)
      repairable.formUnion(other.repairable)
    }
  }

  /// Those to be made here: every fourth, or with `THOROUGH` all; all of a system that is broken on purpose.
  private func chosen(_ changes: Set<Change>, of system: System, _ seed: UInt64) -> [Change] {
    let ordered = changes.sorted { $0.patches.joined() < $1.patches.joined() }
    if system.isBroken || ProcessInfo.processInfo.environment["THOROUGH"] != nil { return ordered }
    var chance = SeededGenerator(seed: seed)
    return ordered.filter { _ in Int.random(in: 0..<4, using: &chance) == 0 }
  }

  /// Stands the system up as it is, and once more with each change that the pages have for it.
  private func outcome(of system: System, _ seed: UInt64) async throws -> Outcome {
    var outcome = Outcome()
    let folder = try Folder()
    defer { folder.remove() }
    let port = RealProxy.freePort()
    try system.stand(in: folder, port: port)
    for (program, complaint) in try await RealProxy.complaints(of: system, in: folder, port: port) {
      let isMeant = system.isBroken && program != "docker compose" || system.kind == .hosts
      #expect((complaint != nil) == isMeant, "\(system) by \(program): \(complaint ?? "is taken")")
    }
    let facts = try await system.facts(in: folder, port: port, catalog.signs)
    let repairs: [FactName] = [
      "problem-line.fixed", "problem-line.insert", "problem-line.needless", "apache.module", "apache.needs-tls-engine",
    ]
    if system.isBroken, repairs.contains(where: { facts[$0] != nil }) { outcome.repairable.insert(system.file) }
    if ProcessInfo.processInfo.environment["ADVICE_FACTS"] != nil {
      print("---", system)
      for (name, value) in facts.values.sorted(by: { $0.key < $1.key }) { print("  \(name.text) = \(value)") }
    }
    let changes = changes(facts)
    outcome.covered = Set(changes.flatMap(\.steps))
    for change in chosen(changes, of: system, seed) {
      try system.stand(in: folder, port: port)
      let file = system.path(in: folder)
      for patch in change.patches {
        try folder.write(patch, to: "step.patch")
        let patched = try run("/usr/bin/patch", ["--batch", "--forward", file, "\(folder.path)/step.patch"])
        #expect(patched.status == 0, "\(system), \(change.page): \(patched.output)\n\(patch)")
      }
      for (program, complaint) in try await RealProxy.complaints(of: system, in: folder, port: port) {
        if complaint == nil { outcome.validated[program, default: 0] += change.patches.count }
        // What was broken on purpose is mended by its own page; the others change something else.
        if system.isBroken {
          if complaint == nil { outcome.mended.insert(system.file) }
        } else if let complaint {
          Issue.record("\(system), \(change.page), by \(program): \(complaint)\n\(change.patches.joined())")
        }
      }
    }
    return outcome
  }

  /// Every system is taken as it is, or refused where it is broken on purpose; and taken with each patch. As many at once
  /// as there are processors, since most of the time is the start of the real programs.
  @Test func everySystemIsTakenAsItIsOrRefusedWhereItIsBrokenOnPurpose() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("advice: the seed is \(seed)")
    let all = try await withThrowingTaskGroup(of: Outcome.self) { group in
      var waiting = System.all[...]
      for system in waiting.prefix(ProcessInfo.processInfo.activeProcessorCount) {
        group.addTask { try await outcome(of: system, seed) }
      }
      waiting = waiting.dropFirst(ProcessInfo.processInfo.activeProcessorCount)
      var all = Outcome()
      for try await outcome in group {
        all.add(outcome)
        if let system = waiting.popFirst() { group.addTask { try await self.outcome(of: system, seed) } }
      }
      return all
    }
    #expect(all.mended == all.repairable, "what is broken on purpose and has a repair is mended by it")
    for page in catalog.allPages.sorted(by: { $0.id < $1.id }) {
      for (number, section) in page.sections.enumerated() {
        for (index, step) in section.steps.enumerated() {
          guard case .patch = step.body, !all.covered.contains("\(page.id)/\(number)/\(index)") else { continue }
          Issue.record("\(page.id), \(section.heading): no system has \(step.body) when \(step.when)")
        }
      }
    }
    for (program, count) in all.validated.sorted(by: { $0.key < $1.key }) {
      print("advice: \(program): \(count) patches validated")
    }
    print("advice: \(all.covered.count) patch steps of the pages covered by \(System.all.count) systems")
  }
}
