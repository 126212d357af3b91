let flag = true;
let number: u8 = /*>*/if flag {
    1
};
