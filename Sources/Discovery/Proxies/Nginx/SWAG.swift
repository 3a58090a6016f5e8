import Model
import Routes

/// SWAG: nginx with its files below `/config`, and a ready one for each known app in `proxy-confs`.
///
/// Those files count once `.sample` is taken from their names. Source: linuxserver/docker-swag and reverse-proxy-confs.
enum SWAG {
  static let layout = "swag"

  /// For a site without a route: the sample that would serve it, by its first name.
  static func facts(
    of outcome: Reading.Outcome, _ request: RouteReading.Request, _ proxy: RunningProxy
  ) async -> Facts {
    guard [.default, .missing].contains(outcome), let app = request.site.host.split(separator: ".").first else {
      return [:]
    }
    let file = "/config/nginx/proxy-confs/\(app).subdomain.conf"
    guard let found = try? await proxy.files.glob(file + ".sample"), !found.isEmpty else { return [:] }
    return [.swagSample: file + ".sample", .swagFile: file]
  }
}

extension FactName {
  static let swagSample: FactName = "swag.sample"
  static let swagFile: FactName = "swag.file"
}
