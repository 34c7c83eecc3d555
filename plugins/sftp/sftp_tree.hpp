#pragma once

#include <common/remote_storage.hpp>

#include "client.hpp"

namespace dbackup::sftp {

/// The files of one account, below `prefix`: absolute, or relative to the folder the login begins
/// in; "" is that folder.
class SftpTree final : public plugins::RemoteTree {
 public:
  SftpTree(const Call& call, const std::string& server, std::string prefix);

  void check_root() override;
  std::optional<plugins::RemoteEntry> look(const std::string& path) override;
  bool each_entry(const std::string& folder,
                  const std::function<void(const plugins::RemoteEntry&)>& found) override;
  void make_folder(const std::string& path) override;
  bool remove_empty_folder(const std::string& path) override;
  bool remove_file(const std::string& path) override;
  plugins::RemoteEntry upload(const std::string& temporary, Reader& in, uint64_t& sent) override;
  void commit(const std::string& temporary, const std::string& path, bool replace) override;
  bool discard(const std::string& temporary) override { return remove_file(temporary); }
  uint64_t download(const std::string& path, const plugins::RemotePart& part, Writer& out) override;
  std::string shown(const std::string& path) const override;

 private:
  std::string remote(const std::string& path) const;
  std::string create(const std::string& temporary);
  std::string missing_root();
  Code rename(const std::string& from, const std::string& to);

  Client client_;
  std::string prefix_;
};

}  // namespace dbackup::sftp
