#include "api/resources/ssh_host_keys_resource.hpp"

#include "api/render.hpp"
#include "api/schema.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

using namespace schema;

constexpr std::string_view kSection = "Settings";
constexpr int64_t kSshPort = 22;
constexpr int64_t kLargestPort = 65535;

Json key_schema() {
  return titled(
      "SshHostKey",
      object({required("id", text()), required("host", text()), required("port", integer()),
              required("type", described(nullable(text()), "null: only its fingerprint is known")),
              required("fingerprint", text()),
              required("origin", one_of({KnownHostKey::kFirstUse, KnownHostKey::kByHand})),
              required("createdAt", date())}));
}
Json keys_schema() { return wrapped(list_of(key_schema())); }
Json key_answer_schema() { return wrapped(key_schema()); }
Json key_set_schema() {
  return object(
      {required("host", text(1, 255)), optional("port", integer(1, kLargestPort)),
       required("fingerprint", described(text(1, 100), "SHA256:…, as ssh-keygen -l shows it"))});
}

Json key_json(const KnownHostKey& key) {
  return {{"id", key.id},
          {"host", key.host},
          {"port", key.port},
          {"type", key.type.empty() ? Json(nullptr) : Json(key.type)},
          {"fingerprint", key.fingerprint},
          {"origin", key.origin},
          {"createdAt", format_iso8601(key.created_at)}};
}

}  // namespace

const Route<SshHostKeysResource> SshHostKeysResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/ssh-host-keys",
     .access = Permission::SettingsRead,
     .handler = &SshHostKeysResource::list,
     .summary = "The host keys that SSH servers are known by",
     .section = kSection,
     .response = keys_schema},
    {.method = Method::Post,
     .path = "/api/ssh-host-keys",
     .access = Permission::SettingsWrite,
     .handler = &SshHostKeysResource::set,
     .summary = "Say which key an SSH server must show; replaces what was known of it",
     .section = kSection,
     .body = BodyRule::Required,
     .request = key_set_schema,
     .response = key_answer_schema,
     .success = 201,
     .failures = kBadRequest,
     .idempotent = true},
    {.method = Method::Delete,
     .path = "/api/ssh-host-keys/{id}",
     .access = Permission::SettingsWrite,
     .handler = &SshHostKeysResource::remove,
     .summary = "Forget a host key, after the server got a new one",
     .section = kSection,
     .response = schema::success_answer,
     .failures = kMissing},
};

SshHostKeysResource::SshHostKeysResource(Services& services)
    : keys_{services.control, services.audit} {}

void SshHostKeysResource::mount(RouteTable& table) {
  table.mount<SshHostKeysResource>(*this, kRoutes);
}

HttpResponse SshHostKeysResource::list(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const KnownHostKey& key : keys_.list()) out.push_back(key_json(key));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse SshHostKeysResource::set(const ApiRequest& request, const Principal& who) {
  const KnownHostKey key =
      keys_.set(who, require_string(request.body, "host"),
                get_int(request.body, "port", 1, kLargestPort).value_or(kSshPort),
                require_string(request.body, "fingerprint"));
  return json_answer(201, render::wrapped(key_json(key)));
}

HttpResponse SshHostKeysResource::remove(const ApiRequest& request, const Principal& who) {
  keys_.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

}  // namespace dbackup::host
