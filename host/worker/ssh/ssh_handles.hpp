#pragma once

#include <libssh/libssh.h>

#include <memory>

namespace dbackup::host::ssh {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using SessionHandle = std::unique_ptr<ssh_session_struct, Freed<&ssh_free>>;
using KeyHandle = std::unique_ptr<ssh_key_struct, Freed<&ssh_key_free>>;
using EventHandle = std::unique_ptr<ssh_event_struct, Freed<&ssh_event_free>>;
using TextHandle = std::unique_ptr<char, Freed<&ssh_string_free_char>>;

}  // namespace dbackup::host::ssh
