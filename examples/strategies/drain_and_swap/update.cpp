// Balances instead of payments: nobody may come in, those who are in come out, the state is handed over, all go on.
#include <moult/moult.hpp>

#include <iostream>
#include <map>

#include "ledger.hpp"

static std::map<std::string, int> balances;

static void pay_v2(const std::string& name, int amount) {
  std::cout << name << " has " << (balances[name] += amount) << std::endl;
}

static void audit_v2() {
  std::cout << "the audit of balances begins" << std::endl;
  auditor_is_done.acquire();
  int sum = 0;
  for (const auto& [name, balance] : balances) sum += balance;
  std::cout << "the audit of balances finds " << sum << std::endl;
}

class SwapUpdate final : public moult::Update {
 public:
  SwapUpdate() : Update("ledger") { set_patience({.max_tries = 60, .max_postponements = 0}); }  // a minute

  void preupdate_setup() override {
    moult::setup_force_quiescence({pay, audit}, patience());
    std::cout << "new calls wait at the entry" << std::endl;
  }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }

  void apply() override {
    for (const Payment& payment : payments) balances[payment.name] += payment.amount;
    moult::redefine_function(pay, pay_v2);
    moult::redefine_function(audit, audit_v2);
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<SwapUpdate>()); }
