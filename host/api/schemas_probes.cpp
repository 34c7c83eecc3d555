#include "api/schemas_probes.hpp"

#include "api/schemas.hpp"

namespace dbackup::host::schemas {

using namespace schema;

Json databases() {
  return object({required("success", flag()), required("databases", list_of(text()))});
}
Json test_connection() {
  return object(
      {required("adapterId", text(1, 100)), required("config", config()),
       optional("configId", described(nullable(text()),
                                      "stored adapter of the same kind whose secrets stand in for "
                                      "missing ones; needs its write permission")),
       optional("primaryCredentialId", nullable(text())),
       optional("sshCredentialId", nullable(text()))});
}
Json test_result() {
  return object({required("success", flag()), required("message", text()),
                 optional("version", text()), optional("edition", text())});
}
Json access_check_result() {
  return object({required("success", flag()), optional("message", text()),
                 optional("databases", list_of(text()))});
}
Json snapshot_result() {
  return object({required("supported", flag()), required("message", text())});
}


}  // namespace dbackup::host::schemas
