import Checks
import Flow
import Glibc
import Model
import Synchronization
import World

/// The time of a whole run, `--timeout`: every check and every site, and those a redirect leads to, share it.
struct RunLimit {
  let seconds: Double
  let end: ContinuousClock.Instant

  init(seconds: Double, from start: ContinuousClock.Instant = .now) {
    self.seconds = seconds
    end = start + .seconds(seconds)
  }

  /// Seconds that are left, and those of a time after it.
  func left(after grace: Double = 0) -> Double { max(0, ContinuousClock.now.duration(to: end) / .seconds(1) + grace) }
}

extension Arguments {
  /// What a case starts with.
  func facts(of site: Site) -> Facts {
    site.facts.merging([
      .limitSeconds: String(limit), .seriesCount: series.map { String($0) } ?? "", .userRoot: isRootsShell ? "yes" : "",
    ])
  }

  /// Whether the shell in which commands are pasted is root's: by sudo it is somebody else's.
  private var isRootsShell: Bool {
    geteuid() == 0 && getenv("SUDO_USER") == nil
  }
}

/// The checks of one run at a time: within a round nothing is asked twice, and each round has a new view.
final class Rounds: Sendable {
  private let world: any World
  private let machine: Once?
  private let signs: @Sendable () -> Signs
  private let end: ContinuousClock.Instant?
  private let current: Mutex<(round: Int, view: Once)>

  /// - Parameters:
  ///   - machine: What sites that are diagnosed side by side see of the machine.
  ///   - signs: Not wanted before the first check.
  ///   - end: When the whole run ends; nil: each check has the limit for itself, since a person may be asked between.
  init(
    _ world: any World, sharing machine: Once? = nil, _ signs: @autoclosure @escaping @Sendable () -> Signs,
    until end: ContinuousClock.Instant? = nil
  ) {
    self.world = world
    self.machine = machine
    self.signs = signs
    self.end = end
    current = Mutex((0, Once(world, machine: machine)))
  }

  func finding(of check: String, facts: Facts, round: Int) async -> Finding {
    let view = current.withLock { current in
      if current.round != round { current = (round, Once(world, machine: machine)) }
      return current.view
    }
    guard let named = Check.named(check) else { return Finding(check: check, outcome: Finding.unknown) }
    return await named.finding(in: view, facts: facts, signs: signs(), until: end)
  }
}

/// Follows one case to its end without asking anybody; its result, and how that came about.
///
/// - Parameters:
///   - earlier: How the diagnosis went that is to come out again.
///   - looksOn: Whether what the result does not need is looked at, too, to be written down.
func diagnose(
  _ site: Facts, _ catalog: Catalog, _ rounds: Rounds, as earlier: Course? = nil, looksOn: Bool = false
) async -> (diagnosis: Diagnosis, course: Course) {
  var run = Run(Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: site))
  let diagnosis = await run.runToEnd(as: earlier, looksOn: looksOn) {
    await rounds.finding(of: $0, facts: $1, round: $2)
  }
  return (diagnosis, run.course)
}
