import Discovery
import Fixture
import FoundationEssentials
import Glibc
import Model
import Routes
import World

/// What is asked: a proxy in a container, by all that this machine would show of it.
private struct Question: Decodable {
  struct Request: Decodable {
    let url: String
    /// The port on which the proxy listens in its own network.
    let port: UInt16
  }

  /// As `diagnosis.schema.json` names it.
  let kind: String
  /// Texts by their paths inside the container.
  let files: [String: String]
  /// What the engine answers, by the path that it is asked for; the proxy itself is the container `edge`.
  let engine: [String: String]
  let requests: [Request]

  static let place = ProxyPlace(id: "edge", pid: 7, usesHostNetwork: false)

  func answer() async -> Answer {
    let world = Sandbox()
    for (path, text) in files { world.file(path, text, in: .process(7)) }
    for (path, body) in engine { world.docker(path, body) }
    var routes: [Answer.Route] = []
    for request in requests { routes.append(await route(request, world)) }
    do throws(Unseen) {
      let sites = try await RouteReading.list(kind: kind, at: Self.place, in: world, Signs())
      return Answer(routes: routes, sites: sites.map(Answer.Site.init), unseen: nil)
    } catch { return Answer(routes: routes, sites: [], unseen: "\(error)") }
  }

  private func route(_ request: Request, _ world: Sandbox) async -> Answer.Route {
    guard let site = Site(request.url) else { return Answer.Route(unseen: "no address") }
    do throws(Unseen) {
      let reading = try await RouteReading.read(
        .init(site: site, port: request.port), kind: kind, at: Self.place, in: world, Signs())
      return Answer.Route(outcome: reading.outcome.rawValue, facts: reading.facts)
    } catch { return Answer.Route(unseen: "\(error)") }
  }
}

/// What our readers say of it.
private struct Answer: Encodable {
  struct Route: Encodable {
    /// Nil: it could not be read, `unseen` says why.
    var outcome: String?
    var facts: [String: String] = [:]
    var unseen: String?

    init(outcome: String, facts: Facts) {
      self.outcome = outcome
      for name in RouteReading.facts { self.facts[name.text] = facts[name] }
    }
    init(unseen: String) { self.unseen = unseen }
  }
  struct Site: Encodable {
    let host: String
    let port: UInt16
    let tls: Bool
    let path: String
    let upstream: String

    init(_ listed: RouteReading.Listed) {
      (host, port, tls) = (listed.host, listed.port, listed.isTLS)
      (path, upstream) = (listed.path, listed.upstream)
    }
  }

  let routes: [Route]
  /// Every site that the proxy passes on.
  let sites: [Site]
  /// Why they could not be listed.
  let unseen: String?
}

/// `peer-reader`: a question a line on standard input, an answer a line on standard output.
@main struct Program {
  static func main() async throws {
    while let line = readLine() {
      let question = try JSONDecoder().decode(Question.self, from: Data(line.utf8))
      let answer = try JSONEncoder().encode(await question.answer())
      print(String(decoding: answer, as: UTF8.self))
      fflush(nil)
    }
  }
}
