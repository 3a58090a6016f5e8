import Discovery
import Flow
import Model
import Synchronization
import World

/// What a run does on other machines: what is seen there comes here, and here is judged what it shows.
struct Abroad: Sendable {
  let work: Work
  let arguments: Arguments
  let limit: RunLimit
  let catalog: Catalog
  /// All that are looked at.
  let remotes: [Remote]
  let progress = Progress()
  private let asked = Asked()

  init(_ remotes: [Remote], work: Work, arguments: Arguments, limit: RunLimit, catalog: Catalog) {
    (self.remotes, self.work, self.arguments, self.limit, self.catalog) = (remotes, work, arguments, limit, catalog)
  }

  func result(at target: Target) async -> Work.Result {
    guard let site = target.site else { return await everything(on: target.remotes[0]) }
    let results = Mutex<[Int: Work.Result]>([:])
    await sideBySide(target.remotes.count, atOnce: Limits.hostsAtOnce) { index in
      let remote = target.remotes[index]
      let result: Work.Result
      do throws(Unseen) {
        let subject = try await remote.evidence(of: site, arguments, catalog.signs, until: limit)
        result = await self.result(of: site, subject, on: remote)
      } catch { result = notSeen(site, on: remote, error) }
      results.withLock { $0[index] = result }
    }
    let all = results.withLock { $0 }.sorted { $0.key < $1.key }
    // What is seen at the app's machine is told with the proxy's.
    let told = Set(all.compactMap(\.value.other))
    return work.joined(
      all.filter { $0.value.hasRoute || !told.contains(target.remotes[$0.key].machine) }.map(\.value))
  }

  private func everything(on remote: Remote) async -> Work.Result {
    do throws(Unseen) {
      let (sites, unseen) = try await remote.everything(arguments, catalog.signs, until: limit)
      for unseen in unseen {
        Wizard502.complain(
          "wizard502: \(remote.shown): sites of one proxy are missing: \(catalog.reason(unseen))")
      }
      guard !sites.isEmpty else {
        return work.result(
          notLookedAt: Target(remotes: [remote]), because: catalog.word("on.no-sites"), exit: .inconclusive, catalog)
      }
      var results: [Work.Result] = []
      for (site, subject) in sites {
        switch subject {
        case .success(let subject): results.append(await result(of: site, subject, on: remote))
        case .failure(let unseen): results.append(notSeen(site, on: remote, unseen))
        }
      }
      return work.joined(results)
    } catch { return notSeen(nil, on: remote, error) }
  }

  private func result(of site: Site, _ subject: Subject, on remote: Remote) async -> Work.Result {
    let others = remotes.others(than: remote, for: site, arguments, catalog.signs, asked: asked) { [limit] in limit }
    return await work.result(
      at: (subject.course?.givenAgain ?? arguments.facts(of: site)).merging(others.given), on: remote.name, catalog,
      Rounds(AmongOthers(subject.world, others), catalog.signs, until: limit.end), as: subject.course, nil)
  }

  private func notSeen(_ site: Site?, on remote: Remote, _ unseen: Unseen) -> Work.Result {
    work.result(
      notLookedAt: Target(site: site, remotes: [remote]), because: catalog.reason(unseen), exit: .inconclusive, catalog)
  }

  /// Says on standard error which machines are done, where there are several.
  final class Progress: Sendable {
    private let done = Mutex(0)

    func tell(_ target: Target, _ result: Work.Result, of count: Int, _ catalog: Catalog) {
      guard count > 1 else { return }
      let number = done.withLock { done in
        done += 1
        return done
      }
      let facts: Facts = [
        "on.done": String(number), "on.count": String(count), "on.host": target.remotes[0].shown,
        "on.result": result.exit.says,
      ]
      Wizard502.complain("wizard502: " + catalog.word("on.progress", facts))
    }
  }
}

extension [OtherMachine] {
  /// What a case is given where there are some.
  var given: Facts { [.farNamed: map(\.name).joined(separator: ", ")] }
}
