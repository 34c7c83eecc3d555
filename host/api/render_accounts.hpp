#pragma once

#include "base/json.hpp"
#include "model/users.hpp"

namespace dbackup::host {

struct ApiKey;

namespace render {

/// As the sign-in family shows a person: no group, no permissions.
Json account(const User& user);
Json user(const User& user);
Json user_session(const UserSession& session);
Json group(const UserGroup& group);
Json api_key(const ApiKey& key);
/// `user`: the person, or the owner of the key; nullptr: nobody known.
Json caller(const Principal& who, const User* user);

}  // namespace render
}  // namespace dbackup::host
