#pragma once

namespace dbackup::host {

class Session;

/// A write transaction; rolls back when it goes without commit(). Transactions do not nest.
class Transaction {
 public:
  explicit Transaction(Session& session);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Session& session_;
  bool is_done_ = false;
};

}  // namespace dbackup::host
