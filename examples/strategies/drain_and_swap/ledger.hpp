// A ledger of payments, for the program and its updates.
#pragma once

#include <semaphore>
#include <string>
#include <vector>

struct Payment {
  std::string name;
  int amount;
};
extern std::vector<Payment> payments;
extern std::binary_semaphore auditor_is_done;

void pay(const std::string& name, int amount);
/// Looks at all payments, until the auditor is done.
void audit();
