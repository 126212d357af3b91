mod bank {
    pub struct Account {
        balance: u32,
    }
    impl Account {
        pub fn new() -> Self {
            Account { balance: 0 }
        }
    }
}
let account = bank::Account::new();
account./*>*/balance
