import Checks
import Flow
import Glibc
import Model
import Reader
import Screen
import Synchronization
import World

/// The systems of an exercise in the machine's place: the broken one, then the one after each fix.
final class Practice: World {
  private let systems = Mutex<(all: [Recording], place: Int)>(([], 0))

  /// Takes the systems of another exercise; says what the session has to know of them.
  func take(_ systems: [Recording]) -> (given: Facts, date: String)? {
    guard let first = systems.first, let given = first.course?.givenAgain else { return nil }
    self.systems.withLock { $0 = (systems, 0) }
    return (given, first.day)
  }

  /// The fix that was shown is taken as done.
  func mend() { systems.withLock { $0.place = min($0.place + 1, $0.all.count - 1) } }

  private var system: Recording { systems.withLock { $0.all.isEmpty ? Recording() : $0.all[$0.place] } }

  var now: Double { system.now }
  var instant: ContinuousClock.Instant { system.instant }
  func pause(_ seconds: Double) async { await system.pause(seconds) }
  func deadline(in seconds: Double) async { await system.deadline(in: seconds) }
  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await system.see(look) }
  func answer<L: Look>(to look: L) async -> Answer<L.Sight> { await system.answer(to: look) }
}

extension Exercise {
  /// Those of this build, or those in somebody's own folder.
  static func all(in folder: String?, _ arguments: Arguments) throws(Evidence.Failure) -> [Exercise] {
    let read: (exercises: [Exercise], problems: [Problem])
    do throws(Reader.Unreadable) {
      let language = Wizard502.language(arguments, Reader.builtIn)
      read = if let folder { try Reader.exercises(in: folder) } else { Reader.exercises(Reader.builtIn, in: language) }
    } catch { throw Evidence.Failure(sentence: "\(error)") }
    if let problem = read.problems.first { throw Evidence.Failure(sentence: problem.description) }
    if read.exercises.isEmpty { throw Evidence.Failure(sentence: "no exercise is in \((folder ?? "").printable)") }
    return read.exercises
  }

  /// The broken system, then the one after each fix.
  ///
  /// - Parameter folder: Where its recordings lie, `NAME.1` and so on, compressed or not; what is not there is that of this
  ///   build.
  func systems(in folder: String?) throws(Evidence.Failure) -> [Recording] {
    var systems: [Recording] = []
    for number in 1...causes.count + 1 { systems.append(try system(number, in: folder)) }
    return systems
  }

  private func system(_ number: Int, in folder: String?) throws(Evidence.Failure) -> Recording {
    let file = "\(name).\(number)"
    let paths = folder.map { folder in ["", ".xz", ".gz", ".zst"].map { "\(folder)/\(file)\($0)" } } ?? []
    if let path = paths.first(where: { access($0, F_OK) == 0 }) { return try Evidence.read(path) }
    guard let bytes = Reader.recording(name, number) else {
      throw Evidence.Failure(sentence: "the recording \(file.printable) is missing")
    }
    return try Evidence.recording(in: bytes, file)
  }

  /// What its recordings do not show as it says, in sentences.
  func problems(_ catalog: Catalog, folder: String?) async -> [String] {
    let systems: [Recording]
    do throws(Evidence.Failure) { systems = try self.systems(in: folder) } catch {
      return ["\(name): error: \(error.sentence)"]
    }
    var problems: [String] = []
    for (index, system) in systems.enumerated() {
      let place = "\(name).\(index + 1): error:"
      guard var given = system.course?.givenAgain else {
        problems.append("\(place) the recording does not say of which address it is")
        continue
      }
      given[.problemMended] = index > 0 ? "yes" : nil
      let rounds = Rounds(system, catalog.signs)
      var run = Run(Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: given))
      let diagnosis = await run.runToEnd(as: system.course, looksOn: true) {
        await rounds.finding(of: $0, facts: $1, round: $2)
      }
      let working = Diagnosis.Verdict.working.rawValue
      let expected = index < causes.count ? causes[index] : working
      let got = diagnosis.causes.first?.id ?? diagnosis.verdict.rawValue
      if got != expected { problems.append("\(place) it shows '\(got)', and the exercise says '\(expected)'") }
      for finding in run.session.record.findings {
        guard case .notRecorded(let what) = finding.unseen else { continue }
        problems.append("\(place) what '\(finding.check)' looks at is not recorded: \(what)")
      }
    }
    return problems.map(\.printable)
  }
}

extension Wizard502 {
  /// The exercises as lines, or a session on one of them, or on the one that is chosen there.
  static func practice(_ name: String?, lists: Bool, _ catalog: Catalog, _ arguments: Arguments) async -> Int32 {
    let exercises: [Exercise]
    do throws(Evidence.Failure) { exercises = try Exercise.all(in: arguments.from, arguments) } catch {
      complain("wizard502: \(error.sentence)")
      return error.exit.rawValue
    }
    if lists || name == nil && (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
      Output.put(exercises.map { "\($0.name): \($0.title)\n" }.joined())
      return Exit.working.rawValue
    }
    let chosen = exercises.filter { name == nil || $0.name == name }
    guard !chosen.isEmpty else {
      let near = (name ?? "").nearest(among: exercises.map(\.name)).map { " Did you mean \($0)?" } ?? ""
      complain(
        "wizard502: there is no exercise \((name ?? "").printable).\(near) wizard502 practice --list lists them.")
      return Exit.misuse.rawValue
    }
    let (world, folder) = (Practice(), arguments.from)
    if chosen.count == 1 {
      do throws(Evidence.Failure) { _ = try chosen[0].systems(in: folder) } catch {
        complain("wizard502: \(error.sentence)")
        return error.exit.rawValue
      }
    }
    return await session(
      Scenario(
        world: world, exercises: chosen,
        practise: { exercise in
          do throws(Evidence.Failure) { return world.take(try exercise.systems(in: folder)) } catch { return nil }
        }, mend: { world.mend() }), catalog, arguments)
  }
}
