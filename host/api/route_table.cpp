#include "api/route_table.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace dbackup::host {
namespace {

bool is_parameter(const std::string& segment) { return !segment.empty() && segment.front() == '{'; }

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  for (size_t at = 1; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    out.emplace_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return out;
}

bool fits(const RouteRow& row, const std::vector<std::string>& segments) {
  for (size_t i = 0; i < segments.size(); ++i) {
    if (is_parameter(row.segments[i]) ? segments[i].empty() : row.segments[i] != segments[i])
      return false;
  }
  return true;
}

std::vector<std::string> parameters(const RouteRow& row, const std::vector<std::string>& segments) {
  std::vector<std::string> out;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (is_parameter(row.segments[i])) out.push_back(segments[i]);
  }
  return out;
}

void add_method(std::string& allow, std::string_view method) {
  if (allow.find(method) != std::string::npos) return;
  allow += (allow.empty() ? "" : ", ") + std::string{method};
}

}  // namespace

RateBucket rate_bucket(Method method, const std::vector<std::string>& segments) noexcept {
  const auto is = [&](size_t at, std::string_view text) {
    return segments.size() > at && segments[at] == text;
  };
  if (!is(0, "api") || is(1, "internal")) return RateBucket::None;
  // Monitors ask it all the time, and its answer costs nothing.
  if (is(1, "health") && segments.size() == 2) return RateBucket::None;
  if (is(1, "auth") && segments.size() > 2 && segments[2].starts_with("sign-in")) {
    return RateBucket::Auth;
  }
  return method == Method::Get || method == Method::Head ? RateBucket::Api : RateBucket::Mutation;
}

bool Access::admits(const Principal& who) const noexcept {
  switch (kind_) {
    case Kind::Public:
    case Kind::Optional:
    case Kind::Authenticated:
      return true;
    case Kind::SignedIn:
    case Kind::SessionOnly:
      return who.kind == PrincipalKind::Session;
    case Kind::SessionPermitted:
      if (who.kind != PrincipalKind::Session) return false;
      [[fallthrough]];
    case Kind::Permitted:
      return std::ranges::any_of(kPermissions, [&](const auto& row) {
        return (permissions_ & bit(row.permission)) != 0 && who.may(row.permission);
      });
    case Kind::AdapterRead:
      return who.may(Permission::SourcesView) || who.may(Permission::DestinationsRead) ||
             who.may(Permission::NotificationsRead);
    case Kind::AdapterWrite:
      return who.may(Permission::SourcesWrite) || who.may(Permission::DestinationsWrite) ||
             who.may(Permission::NotificationsWrite);
  }
  return false;
}

std::string Access::describe() const {
  switch (kind_) {
    case Kind::Public:
    case Kind::Optional:
      return "public";
    case Kind::Authenticated:
      return "any credentials";
    case Kind::SignedIn:
      return "a signed-in session, with or without a group";
    case Kind::SessionOnly:
      return "a signed-in session";
    case Kind::AdapterRead:
      return "the read permission of the adapter's type";
    case Kind::AdapterWrite:
      return "the write permission of the adapter's type";
    case Kind::SessionPermitted:
    case Kind::Permitted:
      break;
  }
  std::string out;
  for (const auto& row : kPermissions) {
    if ((permissions_ & bit(row.permission)) == 0) continue;
    out += (out.empty() ? "" : " or ") + std::string{row.name};
  }
  if (kind_ == Kind::SessionPermitted) out = "a signed-in session with " + out;
  return out;
}

bool takes_body(const RouteRow& row) {
  return row.body != BodyRule::None || row.consumes != "application/json";
}

std::vector<int> answers_of(const RouteRow& row) {
  std::set<int> out{row.success, 400, 500};
  out.insert(row.failures.begin(), row.failures.end());
  const bool reads = row.method == Method::Get;
  const auto when = [&out](bool applies, std::initializer_list<int> statuses) {
    if (applies) out.insert(statuses);
  };
  when(!row.access.is_public(), {401, 403});
  when(row.sign_in && row.method != Method::Get, {403});
  when(row.path.find('{') != std::string::npos, {404});
  when(takes_body(row), {413});
  when(row.consumes != "application/json", {415});
  when(row.etag, {reads ? 304 : 412});
  when(row.idempotent, {409, 422});
  when(row.bucket != RateBucket::None, {429});
  when(row.run != HttpRun::Inline, {503});
  when(!reads, {507});
  return {out.begin(), out.end()};
}

void RouteTable::add(RouteRow row) {
  row.segments = split(row.path);
  row.bucket = rate_bucket(row.method, row.segments);
  const size_t length = row.segments.size();
  if (by_length_.size() <= length) by_length_.resize(length + 1);
  for (const auto& other : by_length_[length]) {
    if (other->method == row.method && other->path == row.path) {
      throw std::logic_error{"two routes for " + row.path};
    }
  }
  by_length_[length].push_back(std::make_unique<RouteRow>(std::move(row)));
}

std::vector<const RouteRow*> RouteTable::rows() const {
  std::vector<const RouteRow*> out;
  for (const auto& group : by_length_) {
    for (const auto& row : group) out.push_back(row.get());
  }
  return out;
}

RouteTable::Found RouteTable::find(Method method, const std::vector<std::string>& segments) const {
  Found found;
  if (segments.size() >= by_length_.size()) return found;
  const Method wanted = method == Method::Head ? Method::Get : method;
  const RouteRow* best = nullptr;
  std::vector<const RouteRow*> matching;
  for (const auto& row : by_length_[segments.size()]) {
    if (!fits(*row, segments)) continue;
    matching.push_back(row.get());
    if (row->method != wanted) continue;
    const auto literals = [](const RouteRow& r) {
      return std::ranges::count_if(r.segments, is_parameter);
    };
    if (best == nullptr || literals(*row) < literals(*best)) best = row.get();
  }
  if (best != nullptr) {
    found.match = std::make_shared<RouteMatch>(RouteMatch{best, parameters(*best, segments)});
    return found;
  }
  for (const auto* row : matching) {
    add_method(found.allow, to_string(row->method));
    if (row->method == Method::Get) add_method(found.allow, "HEAD");
  }
  if (!found.allow.empty()) add_method(found.allow, "OPTIONS");
  return found;
}

}  // namespace dbackup::host
