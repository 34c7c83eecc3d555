#include "protocol/secret_names.hpp"

#include <algorithm>
#include <array>

#include "protocol/descriptor.hpp"

namespace dbackup::host {
namespace {

constexpr std::array<std::string_view, 23> kSecretNames{
    "password",     "token",        "secret",      "secretKey",     "secretAccessKey",
    "accessKey",    "accessKeyId",  "apiKey",      "webhookUrl",    "uri",
    "passphrase",   "privateKey",   "sshPassword", "sshPrivateKey", "sshPassphrase",
    "clientSecret", "refreshToken", "authHeader",  "accountSid",    "authToken",
    "appToken",     "botToken",     "accessToken"};

}  // namespace

std::span<const std::string_view> secret_names() noexcept { return kSecretNames; }

bool is_secret_name(std::string_view name, const protocol::AdapterDescriptor* descriptor) noexcept {
  if (std::ranges::find(kSecretNames, name) != kSecretNames.end()) return true;
  return descriptor != nullptr && std::ranges::any_of(descriptor->options, [&](const auto& option) {
           return option.secret && option.name == name;
         });
}

}  // namespace dbackup::host
