/// The facts that Swift itself reads or writes. Flows and Screens may use every fact that a check or a question
/// brings; each check declares its own.
extension FactName {
  // What was asked for.
  public static let url: FactName = "site.url"
  public static let siteScheme: FactName = "site.scheme"
  public static let siteHost: FactName = "site.host"
  public static let sitePort: FactName = "site.port"
  public static let sitePath: FactName = "site.path"

  public static let engineCommand: FactName = "engine.command"

  /// What is known before anything is looked at.
  public static let given: Set<FactName> = [.url, .siteScheme, .siteHost, .sitePort, .sitePath, .engineCommand]

  public static let limitSeconds: FactName = "limit.seconds"
  /// Where other machines were named beside the one that is looked at: their names.
  public static let farNamed: FactName = "far.named"
  /// The one of them at which a connection ended.
  public static let farMachine: FactName = "far.machine"
  public static let userRoot: FactName = "user.root"

  public static let problemMended: FactName = "problem.mended"

  /// What may be known before anything is looked at.
  public static let start: Set<FactName> = given.union([
    .problemMended, .seriesCount, .limitSeconds, .userRoot, .farNamed,
  ])

  // What the site answered.
  public static let siteStatus: FactName = "site.status"
  public static let siteSeconds: FactName = "site.seconds"
  public static let siteError: FactName = "site.error"
  public static let siteServer: FactName = "site.server"
  public static let publicStatus: FactName = "public.status"
  public static let publicSeconds: FactName = "public.seconds"
  public static let publicError: FactName = "public.error"
  public static let publicServer: FactName = "public.server"
  public static let siteRedirect: FactName = "site.redirect"

  public static let nextURL: FactName = "next.url"
  /// What else is known of the next proxy, as `next.PART`; given as `hop.PART` to the session that looks at it.
  public enum Hop: String, Sendable {
    /// The address that is dialled; absent: the name has none.
    case address
    /// A process in whose network it is dialled; absent: this machine's.
    case pid
    /// Its container's id; absent: a process of this machine.
    case id
    /// The port on which it listens in its own network.
    case port
    /// The proxy that asks it, and itself, in words.
    case from, name
  }
  public static func next(_ part: Hop) -> FactName { FactName("next.\(part.rawValue)") }
  public static func hop(_ part: Hop) -> FactName { FactName("hop.\(part.rawValue)") }

  // The proxy that serves it.
  public static let proxyKind: FactName = "proxy.kind"
  public static let proxyWhere: FactName = "proxy.where"
  public static let proxyVersion: FactName = "proxy.version"

  // The route, as the proxy's own configuration has it.
  public static let routeHost: FactName = "route.host"
  public static let routeUpstream: FactName = "route.upstream"
  public static let routeDefinedIn: FactName = "route.defined-in"

  public static let seriesCount: FactName = "series.count"
  public static let nextServer: FactName = "next.server"
  public static let routeServer: FactName = "route.server"

  public static let nameAddress: FactName = "name.address"

  public static let unseenReason: FactName = "unseen.reason"
  public static let configUnread: FactName = "config.unread"
}
