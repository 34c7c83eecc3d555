#include "api/resources/certificate_resource.hpp"

#include "api/multipart.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kPinned[] = {400, 409};

Json certificate_answer() {
  using namespace schema;
  return wrapped(object({required("exists", flag()), required("isHttpsEnabled", flag()),
                         optional("issuer", text()), optional("subject", text()),
                         optional("validFrom", date()), optional("validTo", date()),
                         optional("serialNumber", text()), optional("fingerprint", text()),
                         optional("isSelfSigned", flag()),
                         optional("daysRemaining", described(integer(), "negative: expired"))}));
}

Json certificate_form() {
  using namespace schema;
  const Json pem = described({{"type", "string"}, {"format", "binary"}}, "PEM, at most 1 MB");
  return object({required("certificate", pem), required("privateKey", pem)});
}

Json render(const CertificateInfo& info, bool is_https, TimeMs now) {
  constexpr TimeMs kDay = TimeMs{24} * 3600 * 1000;
  const TimeMs left = info.valid_to - now;
  return {{"success", true},
          {"data",
           {{"exists", true},
            {"isHttpsEnabled", is_https},
            {"issuer", info.issuer},
            {"subject", info.subject},
            {"validFrom", format_iso8601(info.valid_from)},
            {"validTo", format_iso8601(info.valid_to)},
            {"serialNumber", info.serial_number},
            {"fingerprint", info.fingerprint},
            {"isSelfSigned", info.is_self_signed},
            {"daysRemaining", left >= 0 ? left / kDay : -((-left + kDay - 1) / kDay)}}}};
}

}  // namespace

const Route<CertificateResource> CertificateResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/settings/certificate",
     .access = Permission::SettingsRead,
     .handler = &CertificateResource::get,
     .summary = "The server's TLS certificate",
     .section = "Settings",
     .response = certificate_answer},
    {.method = Method::Put,
     .path = "/api/settings/certificate",
     .access = Permission::SettingsWrite,
     .handler = &CertificateResource::replace,
     .summary = "Replace the certificate and its key; in force at once, for new connections",
     .section = "Settings",
     .run = HttpRun::Slow,
     .request = certificate_form,
     .response = certificate_answer,
     .failures = kPinned,
     .consumes = "multipart/form-data",
     .body_limit = uint64_t{2} << 20},
    {.method = Method::Post,
     .path = "/api/settings/certificate/regenerate",
     .access = Permission::SettingsWrite,
     .handler = &CertificateResource::regenerate,
     .summary = "Make a new self-signed certificate; in force at once, for new connections",
     .section = "Settings",
     .run = HttpRun::Slow,
     .response = certificate_answer,
     .failures = kPinned,
     .idempotent = true},
};

void CertificateResource::mount(RouteTable& table) {
  table.mount<CertificateResource>(*this, kRoutes);
}

HttpResponse CertificateResource::get(const ApiRequest&, const Principal&) {
  const bool is_https = services_.certificates.is_enabled();
  const auto info = services_.certificates.info();
  if (!info) {
    return json_answer(
        200, {{"success", true}, {"data", {{"exists", false}, {"isHttpsEnabled", is_https}}}});
  }
  return json_answer(200, render(*info, is_https, services_.control.context().clock.now_ms()));
}

HttpResponse CertificateResource::replace(const ApiRequest& request, const Principal& who) {
  const auto parts = parse_multipart(request.http.headers.get("Content-Type"), request.http.body);
  CertificatePair pair;
  pair.certificate_pem = require_part(parts, "certificate").data;
  pair.key_pem = SecretString{std::string{require_part(parts, "privateKey").data}};
  const CertificateInfo info = services_.certificates.replace(who, pair);
  return json_answer(200, render(info, services_.certificates.is_enabled(),
                                 services_.control.context().clock.now_ms()));
}

HttpResponse CertificateResource::regenerate(const ApiRequest&, const Principal& who) {
  const CertificateInfo info = services_.certificates.regenerate(who);
  return json_answer(200, render(info, services_.certificates.is_enabled(),
                                 services_.control.context().clock.now_ms()));
}

}  // namespace dbackup::host
