/// The facts that Swift itself reads or writes. Flows and Screens may use every fact that a check or a question
/// brings; each check declares its own.
extension FactName {
  // What was asked for.
  public static let url: FactName = "site.url"
  public static let siteScheme: FactName = "site.scheme"
  public static let siteHost: FactName = "site.host"
  public static let sitePort: FactName = "site.port"
  public static let sitePath: FactName = "site.path"

  /// The word by which a person's shell knows the container engine: `docker` until another one has answered.
  public static let engineCommand: FactName = "engine.command"

  /// Seconds that all checks together may take.
  public static let limitSeconds: FactName = "limit.seconds"

  // What the site answered.
  public static let siteStatus: FactName = "site.status"
  public static let siteSeconds: FactName = "site.seconds"
  public static let siteError: FactName = "site.error"
  public static let siteServer: FactName = "site.server"
  /// Where the site sends the browser on, if that is within the same host.
  public static let siteRedirect: FactName = "site.redirect"

  // The proxy that serves it.
  public static let proxyKind: FactName = "proxy.kind"
  public static let proxyWhere: FactName = "proxy.where"
  public static let proxyVersion: FactName = "proxy.version"

  // The route, as the proxy's own configuration has it.
  public static let routeHost: FactName = "route.host"
  public static let routeUpstream: FactName = "route.upstream"
  public static let routeDefinedIn: FactName = "route.defined-in"

  /// Why something could not be seen; known only while the sentence of an `unknown` outcome is filled in.
  public static let unseenReason: FactName = "unseen.reason"
}
