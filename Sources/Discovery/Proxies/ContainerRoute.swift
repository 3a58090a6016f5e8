import Model
import Routes

extension Route {
  /// The plain route that a program writes for a container by what its labels or its environment say.
  static func written(
    to app: Container, _ port: UInt16, at edit: Edit?, _ request: RouteReading.Request
  ) -> Route {
    Route(
      upstream: Route.Upstream(
        scheme: Setting("http", nil), address: .network(host: Setting(app.name, nil), port: Setting(port, edit)),
        speaks: .http),
      servers: [Server(.network(host: app.name, port: port), .used)], resolution: .notApplicable,
      patience: Route.Patience(connect: .notRead, answer: .notRead, whole: .notApplicable), tls: nil,
      path: Route.Path(passedOn: .known(request.site.path), change: .notRead),
      sentHost: .known(Setting(request.site.host, nil)),
      limits: Route.Limits(header: .notRead, body: .notRead, connections: .notRead), health: .notApplicable,
      login: .notRead, scripts: .notApplicable, refusals: .notRead, shadowed: .notApplicable,
      pass: Route.Pass(
        line: nil, site: nil, transport: nil, target: nil, literal: nil, plain: nil, encrypted: nil,
        takesBuffers: false, family: nil),
      container: Route.FromContainer(id: app.Id, dropped: nil, networks: [], network: nil, portLabel: nil),
      runs: .notRead)
  }
}
