#pragma once

#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/secret_string.hpp"
#include "model/users.hpp"
#include "store/database.hpp"

/// Rules that signing in and the care of users share. `code` is the token by which clients of the
/// sign-in family tell errors apart: it is the error's reason.
namespace dbackup::host {

[[noreturn]] void refuse_account(ErrorCode error, const std::string& code, const std::string& text);

/// Lower-case, without blanks around it. Throws `INVALID_EMAIL`.
std::string checked_email(const std::string& text);
/// Throws `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_LONG`.
void check_password(const SecretString& password);
/// Lays name, time zone and formats of `fields` over `user`; what is missing stays. Throws
/// Error{InvalidArgument} naming the field.
void apply_profile_fields(User& user, const Json& fields);

/// The group SuperAdmin, made when it is not there. Inside the caller's transaction.
UserGroup ensure_super_admin(Session& session, TimeMs now);
/// Holds off whoever else looks at who is SuperAdmin, until the transaction ends.
void lock_users(Session& session);
/// Throws Error{FailedPrecondition} when `user` is the last SuperAdmin.
void refuse_last_super_admin(Session& session, const User& user);

}  // namespace dbackup::host
