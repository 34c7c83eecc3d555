#pragma once

namespace dbackup::host {

/// Inside a catch block: turns what SOCI and its backends threw into Error with our codes. The text of
/// the library contains bound values, so only its own part of the message is kept, and only as detail.
/// Exceptions that are already Error, or foreign, pass unchanged.
[[noreturn]] void rethrow_database_error();

}  // namespace dbackup::host
