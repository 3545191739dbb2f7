// A ledger: "pay NAME AMOUNT", and "audit", which lasts until "done". Each is a thread of its own.
#include "ledger.hpp"

#include <moult/moult.hpp>

#include <iostream>
#include <thread>

std::vector<Payment> payments;
std::binary_semaphore auditor_is_done{0};

MOULT_UPDATABLE void pay(const std::string& name, int amount) {
  payments.push_back({name, amount});
  std::cout << name << " pays " << amount << std::endl;
}

MOULT_UPDATABLE void audit() {
  std::cout << "the audit begins" << std::endl;
  auditor_is_done.acquire();
  int sum = 0;
  for (const Payment& payment : payments) sum += payment.amount;
  std::cout << "the audit finds " << sum << std::endl;
}

int main() {
  const moult::Listener listener;
  std::vector<std::jthread> clerks;
  for (std::string order; std::cin >> order;) {
    std::string name;
    int amount = 0;
    if (order == "pay" && std::cin >> name >> amount) clerks.emplace_back([=] { pay(name, amount); });
    if (order == "audit") clerks.emplace_back([] { audit(); });
    if (order == "done") auditor_is_done.release();
  }
}
